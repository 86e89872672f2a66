//! Writes a new revision of a cluster's documents.

use engine::SourceText;

use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{documents, ground, operation, resolving};

/// Makes `texts` the wanted documents of a cluster. No infrastructure changes.
pub(crate) async fn revise(app: &App, name: &str, texts: Vec<SourceText>) -> Outcome {
    let _lease = app.store.lock(name, app.lock_info("write a revision")).await?;
    let loaded = operation::load(app, name).await?;
    let effective = documents::effective(&texts)?;
    if texts == loaded.revision.documents {
        app.say(format!("The documents of cluster {name} are these already."));
        return Ok(Exit::Fine);
    }
    let ground = ground::stored(&loaded, &effective, &texts)?;
    resolving::build(&resolving::resolve(&loaded.head.lineage, effective, ground.clone())?)?;
    let revision = documents::revision(app, texts, &ground, Some(&loaded))?;
    let store = app.cluster(name);
    let digest = store.put_revision(&revision).await?;
    store.set_revision(&loaded, digest.clone()).await?;
    app.say(format!(
        "Revision {} is the wanted one. See what it changes: kubewright update cluster {name}",
        digest.short()
    ));
    Ok(Exit::Fine)
}
