//! Writes a new revision of a cluster's documents.

use std::collections::BTreeMap;
use std::io::Write as _;

use engine::{Loaded, SourceText};
use resource::Digest;
use serde_json::json;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::suggestion::Suggestion;
use crate::{documents, facts, operation, output, resolving};

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

/// Makes `documents` the wanted documents of a cluster, unless others than those of `base` are by now. No infrastructure
/// changes.
pub(crate) async fn revise(app: &App, name: &str, base: &Loaded, documents: impl Into<Documents>) -> Outcome {
    let Documents { texts, templates, is_result } = documents.into();
    let lease = operation::lock(app, name, "write a revision").await?;
    let loaded = operation::load(app, name).await?;
    check_base(name, base, &loaded)?;
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
    let facts = facts::stored(app, name, &loaded, &effective, &texts, templates)?;
    let resolved = resolving::resolve(app, &loaded.head.lineage, effective, facts)?;
    resolving::build(app, &resolved)?;
    let revision = documents::revision(app, texts, &resolved.facts, Some(&loaded))?;
    let store = app.cluster(name);
    let digest = store.put_revision(&*lease, &revision).await?;
    store.set_revision(&*lease, &loaded, digest.clone()).await?;
    show(&digest, true)?;
    let wanted = format!("Revision {} is the wanted one.", digest.short());
    // Who goes on with a plan is not told to look at it.
    app.say(if is_result { format!("{wanted} See what it changes: kubewright update cluster {name}") } else { wanted });
    Ok(Exit::Fine)
}

/// Refuses what was made from documents that somebody has changed since.
pub(crate) fn check_base(name: &str, base: &Loaded, now: &Loaded) -> Result<(), CommandError> {
    let is_same_cluster = base.head.lineage == now.head.lineage;
    if is_same_cluster && base.revision.documents == now.revision.documents {
        return Ok(());
    }
    let revision = &now.revision;
    Err(CommandError::failed(format!("the documents of cluster {name} were changed since they were read"))
        .exit(Exit::Stale)
        .hint(format!(
            "{} did it with `{}` at {}; nothing of yours was written",
            revision.author, revision.reason, revision.time
        ))
        .hint(format!("see the present ones: kubewright get cluster {name} -o yaml")))
}

/// Keeps what a user typed and what could not be used, and says where.
pub(crate) fn keep(texts: &[SourceText], error: CommandError) -> CommandError {
    let mut builder = tempfile::Builder::new();
    let kept = builder.prefix("kubewright-").suffix(".yaml").tempfile().and_then(|mut file| {
        file.write_all(documents::joined(texts).as_bytes())?;
        file.keep().map_err(|error| error.error)
    });
    match kept {
        Ok((_, path)) => error.hint(kept_in(&path)),
        Err(why) => error.hint(format!("your text could not be kept: {why}")),
    }
}

/// Where a user's text is, and what to do with it.
pub(crate) fn kept_in(path: &std::path::Path) -> String {
    let command = Suggestion::new("replace").options("-f", [path.display()]).text();
    format!("your text is kept in {}; mend it and use: {command}", path.display())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::{ClusterStore, LockInfo, MemoryStore, Revision, StateStore as _};

    use super::*;

    fn lock_info() -> LockInfo {
        let text = || "test".to_owned();
        LockInfo { id: text(), who: text(), process: 1, operation: text(), since: text() }
    }

    async fn loaded(documents: &str) -> Loaded {
        let store = Arc::new(MemoryStore::default());
        let lease = store.lock("demo", lock_info()).await.unwrap();
        let cluster = ClusterStore::new(store.clone(), "demo");
        let documents = vec![SourceText { name: "demo.yaml".to_owned(), text: documents.to_owned() }];
        let revision = Revision { documents, author: "her@there".to_owned(), ..Revision::of_nothing() };
        let digest = cluster.put_revision(&*lease, &revision).await.unwrap();
        cluster.create(&*lease, "lineage", digest).await.unwrap();
        cluster.load().await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_was_made_from_other_documents_is_stale_and_says_who_changed_them() {
        let (read, moved) = (loaded("a").await, loaded("b").await);
        check_base("demo", &read, &loaded("a").await).unwrap();
        let error = check_base("demo", &read, &moved).unwrap_err();
        assert_eq!(error.exit, Exit::Stale);
        assert!(error.hints[0].contains("her@there"), "{:?}", error.hints);
    }

    #[test]
    fn what_was_typed_is_kept_as_it_is() {
        let text = |text: &str| SourceText { name: "<stdin>".to_owned(), text: text.to_owned() };
        let error = keep(&[text("kind: Cluster\n")], CommandError::failed("no"));
        let path =
            error.hints[0].split(';').next().and_then(|hint| hint.strip_prefix("your text is kept in ")).unwrap();
        assert_eq!(fs_err::read_to_string(path).unwrap(), "kind: Cluster\n");
        fs_err::remove_file(path).unwrap();
    }
}
