//! Documents on their ground, and what they ask for. Whatever does not fit is refused before anything is kept.

use std::collections::BTreeMap;

use engine::Loaded;
use model::{Ground, Resolved};
use resource::{Desired, ResourceId};
use spec::Effective;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::{documents, ground};

/// Puts documents and ground together.
pub(crate) fn resolve(lineage: &str, effective: Effective, ground: Ground) -> Result<Resolved, CommandError> {
    model::resolve(lineage, effective.cluster, effective.groups, ground).map_err(|error| {
        CommandError::from_source("the documents do not fit their ground", &error).exit(Exit::InvalidSpec)
    })
}

/// A cluster's stored documents on its ground as it is now, and that ground: machines that are new have addresses in it.
pub(crate) fn stored(app: &App, name: &str, loaded: &Loaded) -> Result<(Resolved, Ground), CommandError> {
    grounded(app, name, loaded, documents::stored(&loaded.revision.documents)?)
}

/// The same for whoever is about to make what the documents say: rules that came after them refuse.
pub(crate) fn wanted(app: &App, name: &str, loaded: &Loaded) -> Result<(Resolved, Ground), CommandError> {
    let effective = documents::effective(&loaded.revision.documents).map_err(|error| {
        error.hint(format!(
            "an earlier release took them; what is there goes on. Mend them: kubewright edit cluster {name}"
        ))
    })?;
    grounded(app, name, loaded, effective)
}

fn grounded(app: &App, name: &str, loaded: &Loaded, effective: Effective) -> Result<(Resolved, Ground), CommandError> {
    let texts = &loaded.revision.documents;
    let ground = ground::stored(app, name, loaded, &effective, texts, BTreeMap::new())?;
    Ok((resolve(&loaded.head.lineage, effective, ground.clone())?, ground))
}

/// Everything that the documents ask for. Only an own template can make that fail.
pub(crate) fn build(resolved: &Resolved) -> Result<BTreeMap<ResourceId, Desired>, CommandError> {
    model::build(resolved).map_err(|error| {
        let own = &resolved.cluster.spec.templates;
        let failed = CommandError::from_source("the documents cannot be turned into resources", &error);
        if own.is_empty() {
            return failed.exit(Exit::Bug);
        }
        let names: Vec<&str> = own.iter().map(|template| template.name.as_str()).collect();
        failed.exit(Exit::InvalidSpec).hint(format!("these templates are the documents' own: {}", names.join(", ")))
    })
}
