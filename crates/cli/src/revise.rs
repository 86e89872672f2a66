//! Writes a new revision of a cluster's documents.

use std::collections::BTreeMap;

use engine::SourceText;
use resource::Digest;
use serde_json::json;

use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{documents, ground, operation, output, resolving};

/// Documents, and what they refer to.
pub(crate) struct Documents {
    /// The documents.
    pub(crate) texts: Vec<SourceText>,
    /// Own templates that need not be read from files, by digest.
    pub(crate) templates: BTreeMap<String, String>,
    /// Whether the new revision is the command's result.
    pub(crate) is_result: bool,
}

impl From<Vec<SourceText>> for Documents {
    fn from(texts: Vec<SourceText>) -> Self {
        Self { texts, templates: BTreeMap::new(), is_result: true }
    }
}

/// Makes `documents` the wanted documents of a cluster. No infrastructure changes.
pub(crate) async fn revise(app: &App, name: &str, documents: impl Into<Documents>) -> Outcome {
    let Documents { texts, templates, is_result } = documents.into();
    let _lease = operation::lock(app, name, "write a revision").await?;
    let loaded = operation::load(app, name).await?;
    let effective = documents::effective(&texts)?;
    let show = |revision: &Digest, is_new: bool| {
        let shown = json!({"cluster": name, "revision": revision, "new": is_new});
        if is_result { output::data(app.format, &shown) } else { Ok(()) }
    };
    if texts == loaded.revision.documents {
        show(&loaded.head.revision, false)?;
        app.say(format!("The documents of cluster {name} are these already."));
        return Ok(Exit::Fine);
    }
    let ground = ground::stored(app, name, &loaded, &effective, &texts, templates)?;
    resolving::build(&resolving::resolve(&loaded.head.lineage, effective, ground.clone())?)?;
    let revision = documents::revision(app, texts, &ground, Some(&loaded))?;
    let store = app.cluster(name);
    let digest = store.put_revision(&revision).await?;
    store.set_revision(&loaded, digest.clone()).await?;
    show(&digest, true)?;
    app.say(format!(
        "Revision {} is the wanted one. See what it changes: kubewright update cluster {name}",
        digest.short()
    ));
    Ok(Exit::Fine)
}
