//! `get clusters`: what is in the store.

use engine::{Loaded, StoreError};
use report::Table;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::output;

pub(super) async fn show(app: &App) -> Result<(), CommandError> {
    let mut rows = Vec::new();
    for name in app.store.clusters().await? {
        rows.extend(row(name.clone(), app.cluster(&name).load().await)?);
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
            table.row([name.clone(), state.clone(), resources.to_string(), revision.clone()]);
        }
        table.text()
    })
}

type Row = (String, String, usize, String);

/// One cluster. One that was moved or is damaged does not hide the others.
fn row(name: String, loaded: Result<Option<Loaded>, StoreError>) -> Result<Option<Row>, CommandError> {
    let loaded = match loaded {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return Ok(None),
        Err(StoreError::Moved { to }) => return Ok(Some((name, format!("moved to {to}"), 0, String::new()))),
        Err(StoreError::Damaged { .. }) => {
            let advice = format!("damaged: kubewright state verify {name}");
            return Ok(Some((name, advice, 0, String::new())));
        }
        Err(error) => return Err(error.into()),
    };
    let state = match (&loaded.head.run, loaded.state.resources.is_empty()) {
        (Some(_), _) => "interrupted",
        (None, true) => "not made yet",
        (None, false) => "made",
    };
    Ok(Some((name, state.to_owned(), loaded.state.resources.len(), loaded.head.revision.short().to_owned())))
}
