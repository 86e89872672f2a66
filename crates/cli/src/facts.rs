//! What is kept with a revision: found out and allocated by the cluster's provider, and fixed for good.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use catalog::Edition;
use engine::{Loaded, Revision, SourceText, StoreError};
use model::{Facts, ProviderFacts};
use provider::{KnownCluster, NewCluster, OtherClusters, Provider};
use spec::Effective;

use crate::app::App;
use crate::error::CommandError;
use crate::{neighbours, programs, providers, templates};

/// The facts of a cluster that is being made. What was allocated is nobody else's as long as the second is held.
pub(crate) async fn new(
    app: &App,
    name: &str,
    effective: &Effective,
    documents: &[SourceText],
) -> Result<(Facts, Box<dyn Any + Send>), CommandError> {
    let provider = providers::named(app, effective.cluster.spec.provider.name())?;
    let others = Others { app, name, said: AtomicBool::new(false) };
    let found = provider.discover(&NewCluster { name, documents: effective, others: &others }).await?;
    for text in found.remarks {
        app.say(text);
    }
    let facts = Facts {
        provider: found.facts,
        programs: programs::digests(),
        edition: effective.cluster.spec.edition.unwrap_or(Edition::NEWEST),
        templates: templates::texts(effective, documents, &BTreeMap::new())?,
    };
    Ok((facts, found.reservation))
}

/// The other clusters of the store; those that cannot be read are said once.
struct Others<'a> {
    app: &'a App,
    name: &'a str,
    said: AtomicBool,
}

#[async_trait]
impl OtherClusters for Others<'_> {
    async fn facts(&self) -> Result<Vec<ProviderFacts>, StoreError> {
        let found = neighbours::find(&self.app.store, self.name).await?;
        if !self.said.swap(true, Ordering::Relaxed) {
            for why in found.unread {
                self.app.say(why);
            }
        }
        Ok(found.facts)
    }
}

/// The stored facts as they are now, with what machines need that are new, own templates and this kubewright's own programs.
///
/// `known` templates are not read again, and neither are the stored ones.
pub(crate) fn stored(
    app: &App,
    name: &str,
    loaded: &Loaded,
    effective: &Effective,
    documents: &[SourceText],
    mut known: BTreeMap<String, String>,
) -> Result<Facts, CommandError> {
    let kept = Kept::of(app, name, loaded)?;
    let provider = kept.provider.refresh(&kept.cluster(), effective)?;
    known.extend(kept.facts.templates);
    let edition = in_edition(kept.facts.edition, effective.cluster.spec.edition);
    let templates = templates::texts(effective, documents, &known)?;
    Ok(Facts { provider, programs: programs::digests(), edition, templates })
}

/// A cluster stays in its edition when nobody asks for another one any more.
fn in_edition(kept: Edition, wanted: Option<Edition>) -> Edition {
    wanted.unwrap_or(kept)
}

/// Refuses to work on machines that cannot be seen from here, or cannot be told from somebody else's.
pub(crate) async fn check_access(app: &App, name: &str, loaded: &Loaded) -> Result<(), CommandError> {
    let kept = Kept::of(app, name, loaded)?;
    Ok(kept.provider.check_access(&kept.cluster()).await?)
}

/// A cluster's record with what is known by now and an earlier release did not write down.
pub(crate) async fn completed(app: &App, name: &str, mut loaded: Loaded) -> Result<Loaded, CommandError> {
    let kept = Kept::of(app, name, &loaded)?;
    let completed = kept.provider.complete(&kept.cluster()).await?;
    loaded.state.resources.extend(completed);
    Ok(loaded)
}

/// A cluster's record with what carries its marker and is not in it: a delete that did not know it would leave machines behind
/// that no state knows any more.
pub(crate) async fn with_unrecorded(app: &App, name: &str, mut loaded: Loaded) -> Result<Loaded, CommandError> {
    let kept = Kept::of(app, name, &loaded)?;
    let found = kept.provider.unrecorded(&kept.cluster()).await?;
    for id in found.keys() {
        app.say(format!("{id} is marked as this cluster's, although its record does not know it: it is deleted, too."));
    }
    loaded.state.resources.extend(found);
    Ok(loaded)
}

/// What is kept of a cluster, and by whom.
struct Kept<'a> {
    name: &'a str,
    loaded: &'a Loaded,
    facts: Facts,
    provider: Arc<dyn Provider>,
}

impl<'a> Kept<'a> {
    fn of(app: &App, name: &'a str, loaded: &'a Loaded) -> Result<Self, CommandError> {
        let facts = read(&loaded.revision)?;
        let provider = providers::named(app, &facts.provider.name)?;
        Ok(Self { name, loaded, facts, provider })
    }

    fn cluster(&self) -> KnownCluster<'_> {
        KnownCluster {
            name: self.name,
            lineage: &self.loaded.head.lineage,
            facts: &self.facts.provider,
            edition: self.facts.edition,
            recorded: &self.loaded.state.resources,
        }
    }
}

/// Own templates of a revision, by digest.
pub(crate) fn templates(revision: &Revision) -> Result<BTreeMap<String, String>, CommandError> {
    Ok(read(revision)?.templates)
}

fn read(revision: &Revision) -> Result<Facts, CommandError> {
    Facts::read(&revision.facts, providers::EARLIEST)
        .map_err(|error| CommandError::from_source("what is kept with the documents cannot be read", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_keeps_its_edition_until_it_is_asked_to_take_another_one() {
        assert_eq!(in_edition(Edition::V1, None), Edition::V1);
        assert_eq!(in_edition(Edition::V1, Some(Edition::V2)), Edition::V2);
        assert_eq!(in_edition(Edition::V2, Some(Edition::V1)), Edition::V1);
    }
}
