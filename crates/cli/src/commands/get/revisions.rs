//! `get revisions`: every set of documents a cluster ever had.

use engine::Revision;
use report::Table;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::{operation, output};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let loaded = operation::load(app, name).await?;
    let mut revisions: Vec<(String, Revision)> = Vec::new();
    for key in app.store.list(name, "revisions/").await? {
        let Some(bytes) = app.store.get(name, &key).await? else { continue };
        let revision = serde_json::from_slice(&bytes)
            .map_err(|error| CommandError::from_source(&format!("{key} of cluster {name} is damaged"), &error))?;
        let digest = key.trim_start_matches("revisions/").trim_end_matches(".json").to_owned();
        revisions.push((digest, revision));
    }
    revisions.sort_by(|(_, one), (_, other)| one.time.cmp(&other.time));
    let wanted = loaded.head.revision.as_str();
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
    output::print(app.format, &shown, || {
        let mut table = Table::new(&["revision", "wanted", "time", "author", "reason"]);
        for (digest, revision) in &revisions {
            let mark = if digest == wanted { "*" } else { "" };
            let short = digest.get(..12).unwrap_or(digest).to_owned();
            let reason = revision.reason.clone();
            table.row([short, mark.to_owned(), revision.time.clone(), revision.author.clone(), reason]);
        }
        table.text()
    })
}
