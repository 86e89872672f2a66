//! Documents with what is kept of their cluster, and what they ask for. Whatever does not fit is refused before anything is kept.

use std::collections::BTreeMap;

use engine::Loaded;
use model::{Facts, Resolved};
use provider::ResolveError;
use resource::{Desired, ResourceId};
use spec::Effective;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::{documents, facts, providers};

/// Puts documents and what is kept with them together.
pub(crate) fn resolve(app: &App, lineage: &str, effective: Effective, facts: Facts) -> Result<Resolved, CommandError> {
    let provider = providers::named(app, &facts.provider.name)?;
    provider::resolve(&*provider, lineage, effective, facts).map_err(|error| match error {
        ResolveError::Provider(error) => error.into(),
        error @ ResolveError::Model(_) => {
            let what = "the documents do not fit what is kept with them";
            CommandError::from_source(what, &error).exit(Exit::InvalidSpec)
        }
    })
}

/// A cluster's stored documents with its facts as they are now: machines that are new have what they need in them.
pub(crate) fn stored(app: &App, name: &str, loaded: &Loaded) -> Result<Resolved, CommandError> {
    with_facts(app, name, loaded, documents::stored(&loaded.revision.documents)?)
}

/// The same for whoever is about to make what the documents say: rules that came after them refuse.
pub(crate) fn wanted(app: &App, name: &str, loaded: &Loaded) -> Result<Resolved, CommandError> {
    let effective = documents::effective(&loaded.revision.documents).map_err(|error| {
        error.hint(format!(
            "an earlier release took them; what is there goes on. Mend them: kubewright edit cluster {name}"
        ))
    })?;
    with_facts(app, name, loaded, effective)
}

fn with_facts(app: &App, name: &str, loaded: &Loaded, effective: Effective) -> Result<Resolved, CommandError> {
    let texts = &loaded.revision.documents;
    let facts = facts::stored(app, name, loaded, &effective, texts, BTreeMap::new())?;
    resolve(app, &loaded.head.lineage, effective, facts)
}

/// Everything that the documents ask for. Only an own template can make that fail.
pub(crate) fn build(app: &App, resolved: &Resolved) -> Result<BTreeMap<ResourceId, Desired>, CommandError> {
    let provider = providers::named(app, &resolved.facts.provider.name)?;
    provider::build(&*provider, resolved).map_err(|error| {
        let own = &resolved.cluster.spec.templates;
        let failed = CommandError::from_source("the documents cannot be turned into resources", &error);
        if own.is_empty() {
            return failed.exit(Exit::Bug);
        }
        let names: Vec<&str> = own.iter().map(|template| template.name.as_str()).collect();
        failed.exit(Exit::InvalidSpec).hint(format!("these templates are the documents' own: {}", names.join(", ")))
    })
}
