//! `get machines`: the machines of a cluster.

use report::Table;
use serde_json::json;
use spec::Role;

use crate::app::App;
use crate::error::CommandError;
use crate::{open, output};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let open = open::cluster(app, name).await?;
    let state = &open.operation.loaded.state.resources;
    let rows: Vec<_> = open
        .resolved
        .machines
        .iter()
        .map(|machine| {
            let role = match machine.role {
                Role::ControlPlane => "control-plane",
                Role::Worker => "worker",
            };
            let made = match state.get(&model::ids::machine(name, &machine.name)) {
                Some(recorded) if recorded.tainted => "interrupted",
                Some(_) => "made",
                None => "not made yet",
            };
            (machine.name.clone(), role, machine.address.to_string(), made)
        })
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, role, address, made)| json!({"name": name, "role": role, "address": address, "state": made}))
        .collect();
    output::print(app.format, &shown, || {
        let mut table = Table::new(&["name", "role", "address", "state"]);
        for (name, role, address, made) in &rows {
            table.row([name.clone(), (*role).to_owned(), address.clone(), (*made).to_owned()]);
        }
        table.text()
    })
}
