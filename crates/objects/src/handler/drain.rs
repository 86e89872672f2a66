//! Draining a node: cordon it, evict its pods within their disruption budgets, wait until they are gone.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::{ActionContext, ActionError, Applied};
use futures::future::join_all;
use plan::{Change, Operation, Reason};
use resource::{Behaviour, Effect, KindSchema, ResourceId};
use serde_json::{Value, json};

use super::node::NODES;
use super::site::of_change;
use crate::connection::Connection;
use crate::pods::{Fate, budget, fate, full_name, is_heard_of};
use crate::request::Request;
use crate::wait::Wait;
use crate::{ApiError, Connections};

/// How long a drain may take, unless the input `timeoutSeconds` says otherwise.
const PATIENCE: u64 = 300;

pub(super) fn schemas() -> [KindSchema; 2] {
    let plain = |kind| KindSchema::plain(kind).rule("access", Behaviour::Computed);
    [
        plain("drain").effects(|_, _, after| match after.get("node").and_then(Value::as_str) {
            Some(node) => vec![Effect::Drains { node: node.to_owned() }],
            None => Vec::new(),
        }),
        plain("uncordon"),
    ]
}

/// A Node is deleted when its pods are gone.
pub(super) fn before_delete(change: Change) -> Vec<Change> {
    if change.operation != Operation::Delete {
        return vec![change];
    }
    let node = change.resource.name().to_owned();
    let step = Change {
        before: change.before.clone(),
        effects: vec![Effect::Drains { node: node.clone() }],
        ..Change::new(&ResourceId::new("drain", &node), Operation::Run, Reason::StepOf { change: change.id.clone() })
    };
    vec![step, change]
}

/// Lets pods onto a node again.
pub(super) async fn uncordon(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let connection = of_change(connections, change, context).await?;
    let what = format!("cannot uncordon node {}", node_name(change));
    set_unschedulable(&connection, node_name(change), false).await.map_err(|error| error.while_doing(&what))?;
    Ok(Applied::default())
}

/// Drains a node. A node that is gone is drained.
pub(super) async fn drain(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let connection = of_change(connections, change, context).await?;
    let node = node_name(change);
    let failed = |error: ApiError| error.while_doing(&format!("cannot drain node {node}"));
    let Some(live) = set_unschedulable(&connection, node, true).await.map_err(failed)? else {
        return Ok(Applied::default());
    };
    let round = Round { connection: &connection, node, heard_of: is_heard_of(&live) };
    let seconds = input(change, "timeoutSeconds").and_then(Value::as_u64).unwrap_or(PATIENCE);
    let mut wait = Wait::new(context, Duration::from_secs(seconds), Duration::from_millis(500));
    loop {
        let left = round.go().await.map_err(failed)?;
        if left.is_empty() {
            return Ok(Applied::default());
        }
        wait.say(describe(&left));
        if !wait.pause().await? {
            let message = format!("node {node} is not drained after {seconds} s: {}", describe(&left));
            return Err(ActionError::permanent(message).hint(advice(&left)));
        }
    }
}

fn node_name(change: &Change) -> &str {
    input(change, "node").and_then(Value::as_str).unwrap_or_else(|| change.resource.name())
}

/// An input of the step, or of the change that it is a step of.
fn input<'a>(change: &'a Change, name: &str) -> Option<&'a Value> {
    change.after.as_ref().or(change.before.as_ref())?.get(name)
}

/// `None` where the node is gone.
async fn set_unschedulable(connection: &Connection, node: &str, on: bool) -> Result<Option<Value>, ApiError> {
    let value = if on { json!(true) } else { Value::Null };
    connection.find(&Request::merge(&format!("{NODES}/{node}"), json!({"spec": {"unschedulable": value}}))).await
}

/// Why a pod is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    /// It takes its time to end.
    Ending,
    /// A disruption budget does not let it go.
    Budget(String),
    /// Its eviction was refused for another reason.
    Refused(String),
}

struct Round<'a> {
    connection: &'a Connection,
    node: &'a str,
    heard_of: bool,
}

impl Round<'_> {
    /// Asks every pod to go, and says which are still there.
    async fn go(&self) -> Result<BTreeMap<String, Held>, ApiError> {
        let selector = format!("spec.nodeName={}", self.node);
        let pods = self.connection.list("/api/v1/pods", &[("fieldSelector", &selector)]).await?;
        let held = join_all(pods.iter().map(|pod| self.ask(pod))).await;
        let mut left = BTreeMap::new();
        for (pod, held) in pods.iter().zip(held) {
            if let Some(held) = held? {
                left.insert(full_name(pod), held);
            }
        }
        Ok(left)
    }

    /// Asks one pod to go; `None` when it need not be waited for.
    async fn ask(&self, pod: &Value) -> Result<Option<Held>, ApiError> {
        match fate(pod) {
            Fate::Stays => return Ok(None),
            // Nobody is there to end it.
            Fate::Going if !self.heard_of => return Ok(None),
            Fate::Going => return Ok(Some(Held::Ending)),
            Fate::Goes => {}
        }
        let metadata = pod.get("metadata").cloned().unwrap_or_default();
        let text = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = format!("/api/v1/namespaces/{}/pods/{}/eviction", text("namespace"), text("name"));
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": text("name"), "namespace": text("namespace")},
            "deleteOptions": {"preconditions": {"uid": text("uid")}},
        });
        match self.connection.send(&Request::post(&path, eviction)).await {
            Ok(_) => Ok(self.heard_of.then_some(Held::Ending)),
            Err(error) if error.is_not_found() || error.code() == Some(409) => Ok(Some(Held::Ending)),
            Err(ApiError::Refused { code: 429, causes, message, .. }) => {
                Ok(Some(budget(&causes).map_or(Held::Refused(message), |name| Held::Budget(name.to_owned()))))
            }
            Err(error @ ApiError::Refused { .. }) => Ok(Some(Held::Refused(error.to_string()))),
            Err(error) => Err(error),
        }
    }
}

fn describe(left: &BTreeMap<String, Held>) -> String {
    let held: Vec<String> = left
        .iter()
        .filter_map(|(pod, held)| match held {
            Held::Ending => None,
            Held::Budget(budget) => Some(format!("{pod} is held by disruption budget {budget}")),
            Held::Refused(why) => Some(format!("{pod} is not evicted: {why}")),
        })
        .collect();
    let ending = left.len() - held.len();
    let mut parts = Vec::new();
    if ending > 0 {
        let names: Vec<&str> =
            left.iter().filter(|(_, held)| **held == Held::Ending).map(|(pod, _)| pod.as_str()).take(3).collect();
        let more = if ending > names.len() { ", …" } else { "" };
        let pods = if ending == 1 { "pod is" } else { "pods are" };
        parts.push(format!("{ending} {pods} ending ({}{more})", names.join(", ")));
    }
    parts.extend(held);
    parts.join("; ")
}

fn advice(left: &BTreeMap<String, Held>) -> &'static str {
    if left.values().any(|held| matches!(held, Held::Budget(_))) {
        "Add replicas or relax the disruption budget, then run the command again: it goes on where it stopped."
    } else {
        "Look at the pods that are left, then run the command again: it goes on where it stopped."
    }
}

#[cfg(test)]
mod tests;
