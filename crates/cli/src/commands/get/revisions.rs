//! `get revisions`: every set of documents a cluster ever had.

use report::Table;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::{operation, output};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let loaded = operation::load(app, name).await?;
    let revisions = app.cluster(name).revisions().await?;
    let wanted = &loaded.head.revision;
    let shown: Vec<_> = revisions
        .iter()
        .map(|(digest, revision)| {
            json!({
                "revision": digest,
                "wanted": digest == wanted,
                "time": revision.time,
                "author": revision.author,
                "reason": revision.reason,
            })
        })
        .collect();
    let names = revisions.iter().map(|(digest, _)| format!("revision/{}", digest.short()));
    output::list(app.format, &shown, names, || {
        let mut table = Table::new(&["revision", "wanted", "time", "author", "reason"]);
        for (digest, revision) in &revisions {
            let mark = if digest == wanted { "*" } else { "" };
            let (short, reason) = (digest.short().to_owned(), revision.reason.clone());
            table.row([short, mark.to_owned(), revision.time.clone(), revision.author.clone(), reason]);
        }
        table.text()
    })
}
