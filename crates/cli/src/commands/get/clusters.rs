//! `get clusters`: what is in the store.

use engine::{Loaded, StoreError};
use report::Table;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::{output, power};

pub(super) async fn show(app: &App) -> Result<(), CommandError> {
    let mut rows = Vec::new();
    for name in app.store.clusters().await? {
        rows.extend(row(name.clone(), app.cluster(&name).load().await));
    }
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, state, resources, revision)| {
            json!({"name": name, "state": state, "resources": resources, "revision": revision})
        })
        .collect();
    let names = rows.iter().map(|(name, ..)| format!("cluster/{name}"));
    output::list(app.format, &shown, names, || {
        if rows.is_empty() {
            return format!("There are no clusters in {}.\n", app.store.describe());
        }
        let mut table = Table::new(&["name", "state", "resources", "revision"]);
        for (name, state, resources, revision) in &rows {
            table.row([name.clone(), app.suggestive(state), resources.to_string(), revision.clone()]);
        }
        table.text()
    })
}

type Row = (String, String, usize, String);

/// One cluster. One that was moved, is damaged or cannot be read does not hide the others.
fn row(name: String, loaded: Result<Option<Loaded>, StoreError>) -> Option<Row> {
    let loaded = match loaded {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return None,
        Err(StoreError::Moved { to }) => return Some((name, format!("Moved to {to}"), 0, String::new())),
        Err(StoreError::BeingRemoved { cluster }) => {
            let advice = format!("Deleting: kubewright delete cluster {cluster} --yes");
            return Some((name, advice, 0, String::new()));
        }
        Err(StoreError::Damaged { .. }) => {
            let advice = format!("Damaged: kubewright state verify {name}");
            return Some((name, advice, 0, String::new()));
        }
        Err(StoreError::Newer { .. }) => {
            return Some((name, "Unreadable: use a newer kubewright".to_owned(), 0, String::new()));
        }
        Err(error) => {
            let why = CommandError::from_source("cannot be read", &error).message;
            return Some((name, why, 0, String::new()));
        }
    };
    let state = match (&loaded.head.run, loaded.state.resources.is_empty()) {
        (Some(_), _) => "Interrupted",
        (None, true) => "NotCreated",
        (None, false) if power::is_stopped(&loaded) => "Stopped",
        (None, false) => "Created",
    };
    Some((name, state.to_owned(), loaded.state.resources.len(), loaded.head.revision.short().to_owned()))
}
