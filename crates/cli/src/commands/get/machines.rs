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
use crate::power::{self, State};
use crate::{health, open, output};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let open = open::cluster(app, name).await?;
    let recorded = &open.cluster.loaded.state.resources;
    let power = power::states(&open.cluster).await;
    let nodes = if power.values().any(|on| *on == State::On) { nodes(&open).await } else { None };
    let rows: Vec<_> = open
        .known()
        .machines
        .iter()
        .map(|machine| {
            let role = match machine.role {
                Role::ControlPlane => "control-plane",
                Role::Worker => "worker",
            };
            let node = match &nodes {
                None => Node::Unasked,
                Some(all) => all.get(&machine.name).map_or(Node::Missing, Node::Known),
            };
            let state = state(recorded.get(&machine.resource), power.get(&machine.resource).copied(), &node);
            (machine.name.clone(), role, machine.address.known(), state)
        })
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, role, address, state)| json!({"name": name, "role": role, "address": address, "state": state}))
        .collect();
    let names = rows.iter().map(|(name, ..)| format!("machine/{name}"));
    output::list(app.format, &shown, names, || {
        let mut table = Table::new(&["name", "role", "address", "state"]);
        for (name, role, address, state) in &rows {
            let address = address.map_or_else(|| "-".to_owned(), |address| address.to_string());
            table.row([name.clone(), (*role).to_owned(), address, state.clone()]);
        }
        table.text()
    })
}

/// The cluster's Nodes by name; `None` when nobody answers.
async fn nodes(open: &Open) -> Option<BTreeMap<String, NodeSummary>> {
    let access = health::access(&open.cluster, &open.resolved).ok()?;
    let nodes = validate::nodes(&open.composition.connections, &access).await.ok()?;
    Some(nodes.into_iter().map(|node| (node.name.clone(), node)).collect())
}

/// What the cluster says of a machine.
enum Node<'a> {
    /// Nobody answers.
    Unasked,
    /// It has no such Node.
    Missing,
    /// Its Node.
    Known(&'a NodeSummary),
}

/// A machine's state in one word, as kubectl has it where that can be.
fn state(recorded: Option<&Recorded>, power: Option<State>, node: &Node<'_>) -> String {
    let word = match (recorded, power, node) {
        (None, ..) => "NotCreated",
        (Some(recorded), ..) if recorded.tainted => "Interrupted",
        (_, None, _) => "Missing",
        (_, Some(State::Unknown), _) => "Unknown",
        (_, Some(State::Off), _) => "Stopped",
        (_, Some(State::On), Node::Unasked) => "Running",
        (_, _, Node::Missing) => "NotRegistered",
        (_, _, Node::Known(node)) => {
            let ready = if node.ready { "Ready" } else { "NotReady" };
            return if node.unschedulable { format!("{ready},SchedulingDisabled") } else { ready.to_owned() };
        }
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_machines_state_is_a_word_that_people_know() {
        let recorded = Recorded::of_inputs(1, Value::Null);
        let ready = NodeSummary { ready: true, ..NodeSummary::default() };
        let cordoned = NodeSummary { unschedulable: true, ..ready.clone() };
        let (made, on) = (Some(&recorded), Some(State::On));
        assert_eq!(state(None, None, &Node::Unasked), "NotCreated");
        assert_eq!(state(made, None, &Node::Unasked), "Missing");
        assert_eq!(state(made, Some(State::Unknown), &Node::Unasked), "Unknown");
        assert_eq!(state(made, Some(State::Off), &Node::Known(&ready)), "Stopped");
        assert_eq!(state(made, on, &Node::Unasked), "Running");
        assert_eq!(state(made, on, &Node::Missing), "NotRegistered");
        assert_eq!(state(made, on, &Node::Known(&ready)), "Ready");
        assert_eq!(state(made, on, &Node::Known(&cordoned)), "Ready,SchedulingDisabled");
        assert_eq!(state(made, on, &Node::Known(&NodeSummary::default())), "NotReady");
        assert_eq!(state(Some(&Recorded { tainted: true, ..recorded.clone() }), on, &Node::Unasked), "Interrupted");
    }
}
