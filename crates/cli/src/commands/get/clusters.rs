//! `get clusters`: what is in the store.

use report::Table;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::output;

pub(super) async fn show(app: &App) -> Result<(), CommandError> {
    let mut rows = Vec::new();
    for name in app.store.clusters().await? {
        let Some(loaded) = app.cluster(&name).load().await? else { continue };
        let state = match (&loaded.head.run, loaded.state.resources.is_empty()) {
            (Some(_), _) => "interrupted",
            (None, true) => "not made yet",
            (None, false) => "made",
        };
        rows.push((name, state, loaded.state.resources.len(), loaded.head.revision.short().to_owned()));
    }
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, state, resources, revision)| {
            json!({"name": name, "state": state, "resources": resources, "revision": revision})
        })
        .collect();
    output::print(app.format, &shown, || {
        if rows.is_empty() {
            return format!("There are no clusters in {}.\n", app.store.describe());
        }
        let mut table = Table::new(&["name", "state", "resources", "revision"]);
        for (name, state, resources, revision) in &rows {
            table.row([name.clone(), (*state).to_owned(), resources.to_string(), revision.clone()]);
        }
        table.text()
    })
}
