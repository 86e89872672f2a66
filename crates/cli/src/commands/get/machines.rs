//! `get machines`: the machines of a cluster.

use std::collections::BTreeMap;

use objects::validate::{self, NodeSummary};
use report::Table;
use resource::Recorded;
use serde_json::json;
use spec::Role;

use crate::app::App;
use crate::error::CommandError;
use crate::open::Open;
use crate::{health, open, output, power};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let open = open::cluster(app, name).await?;
    let recorded = &open.operation.loaded.state.resources;
    let power = power::states(&open.operation).await;
    let nodes = if power.values().any(|on| *on == Some(true)) { nodes(&open).await } else { None };
    let rows: Vec<_> = open
        .resolved
        .machines
        .iter()
        .map(|machine| {
            let role = match machine.role {
                Role::ControlPlane => "control-plane",
                Role::Worker => "worker",
            };
            let id = model::ids::machine(name, &machine.name);
            let state =
                state(recorded.get(&id), power.get(&id).copied(), nodes.as_ref().map(|all| all.get(&machine.name)));
            (machine.name.clone(), role, machine.address.to_string(), state)
        })
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, role, address, state)| json!({"name": name, "role": role, "address": address, "state": state}))
        .collect();
    output::print(app.format, &shown, || {
        let mut table = Table::new(&["name", "role", "address", "state"]);
        for (name, role, address, state) in &rows {
            table.row([name.clone(), (*role).to_owned(), address.clone(), state.clone()]);
        }
        table.text()
    })
}

/// The cluster's Nodes by name; `None` when nobody answers.
async fn nodes(open: &Open<'_>) -> Option<BTreeMap<String, NodeSummary>> {
    let access = health::access(&open.operation, &open.resolved).ok()?;
    let nodes = validate::nodes(&open.composition.connections, &access).await.ok()?;
    Some(nodes.into_iter().map(|node| (node.name.clone(), node)).collect())
}

/// A machine's state in one word, as kubectl has it where that can be.
fn state(recorded: Option<&Recorded>, power: Option<Option<bool>>, node: Option<Option<&NodeSummary>>) -> String {
    let word = match (recorded, power, node) {
        (None, ..) => "NotCreated",
        (Some(recorded), ..) if recorded.tainted => "Interrupted",
        (_, None, _) => "Missing",
        (_, Some(None), _) => "Unknown",
        (_, Some(Some(false)), _) => "Stopped",
        (_, Some(Some(true)), None) => "Running",
        (_, _, Some(None)) => "NotRegistered",
        (_, _, Some(Some(node))) => {
            let ready = if node.ready { "Ready" } else { "NotReady" };
            return if node.unschedulable { format!("{ready},SchedulingDisabled") } else { ready.to_owned() };
        }
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn a_machines_state_is_a_word_that_people_know() {
        let recorded = Recorded {
            schema_version: 1,
            depends_on: BTreeSet::new(),
            inputs: Value::Null,
            outputs: BTreeMap::new(),
            secrets: BTreeMap::new(),
            contained_in: None,
            lifecycle: resource::Lifecycle::Managed,
            tainted: false,
        };
        let ready = NodeSummary { ready: true, ..NodeSummary::default() };
        let cordoned = NodeSummary { unschedulable: true, ..ready.clone() };
        let made = Some(&recorded);
        let on = Some(Some(true));
        assert_eq!(state(None, None, None), "NotCreated");
        assert_eq!(state(made, None, None), "Missing");
        assert_eq!(state(made, Some(Some(false)), Some(Some(&ready))), "Stopped");
        assert_eq!(state(made, on, None), "Running");
        assert_eq!(state(made, on, Some(None)), "NotRegistered");
        assert_eq!(state(made, on, Some(Some(&ready))), "Ready");
        assert_eq!(state(made, on, Some(Some(&cordoned))), "Ready,SchedulingDisabled");
        assert_eq!(state(made, on, Some(Some(&NodeSummary::default()))), "NotReady");
        assert_eq!(state(Some(&Recorded { tainted: true, ..recorded.clone() }), on, None), "Interrupted");
    }
}
