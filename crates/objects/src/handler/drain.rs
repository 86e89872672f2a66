//! Draining a node: cordon it, evict its pods within their disruption budgets, wait until they are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::{ActionContext, ActionError, Applied, ObserveContext, ObserveRequest};
use futures::FutureExt as _;
use futures::future::join_all;
use plan::{Change, Operation, Reason};
use resource::{Behaviour, Effect, KindSchema, Observation, ResourceId};
use serde_json::{Value, json};

use super::node::{self, NODES};
use super::site::{each, of_change};
use crate::connection::Connection;
use crate::field::flag;
use crate::losses::{Lost, losses};
use crate::pods::{EvictionDecision, budget, fate, full_name, is_heard_of, of_node};
use crate::request::Request;
use crate::wait::Wait;
use crate::{ApiError, Connections};

/// How long a drain may take, unless the input `timeoutSeconds` says otherwise.
const TIMEOUT: u64 = 300;
/// The observed attribute with what would be lost.
const LOST: &str = "lost";

pub(super) fn schemas() -> [KindSchema; 2] {
    let plain = |kind| KindSchema::plain(kind).rule("access", Behaviour::Computed);
    [
        plain("drain").effects(|_, seen, after| match after.get("node").and_then(Value::as_str) {
            Some(node) => effects(node, seen),
            None => Vec::new(),
        }),
        plain("uncordon"),
    ]
}

/// What a drain does to a node of which this was `seen`.
fn effects(node: &str, seen: &Value) -> Vec<Effect> {
    let lost: Vec<Lost> =
        seen.get(LOST).cloned().and_then(|lost| serde_json::from_value(lost).ok()).unwrap_or_default();
    let loses = |lost: Lost| Effect::Loses { node: node.to_owned(), what: lost.what, loss: lost.loss };
    std::iter::once(Effect::Drains { node: node.to_owned() }).chain(lost.into_iter().map(loses)).collect()
}

/// Looks at what drains would lose.
pub(super) async fn observe(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
) -> BTreeMap<ResourceId, Observation> {
    each(connections, requests, context, |connection, request| observe_one(connection, request.id.name()).boxed()).await
}

async fn observe_one(connection: &Connection, name: &str) -> Observation {
    let lost = async {
        match node::find(connection, name).await? {
            Some(live) => losses(connection, &live).await.map(Some),
            None => Ok(None),
        }
    };
    match lost.await {
        Ok(Some(lost)) => Observation::present(json!({LOST: lost})),
        Ok(None) => Observation::Absent,
        Err(error) => Observation::unknown(error.to_string()),
    }
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
    let Some(live) = cordon(&connection, change, context).await? else { return Ok(Applied::default()) };
    let round = Round { connection: &connection, node, heard_of: is_heard_of(&live) };
    let seconds = input(change, "timeoutSeconds").and_then(Value::as_u64).unwrap_or(TIMEOUT);
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

/// Keeps new pods off the node and sees to it that nothing would be lost without consent; `None` where the node is gone.
///
/// Pods come until the cordon holds, so it is looked twice: a node that cannot be drained is not cordoned, or no longer.
async fn cordon(
    connection: &Connection,
    change: &Change,
    context: &ActionContext,
) -> Result<Option<Value>, ActionError> {
    let node = node_name(change);
    let failed = |error: ApiError| error.while_doing(&format!("cannot drain node {node}"));
    let Some(before) = node::find(connection, node).await.map_err(failed)? else { return Ok(None) };
    consented(connection, &before, change, context).await?;
    let Some(live) = set_unschedulable(connection, node, true).await.map_err(failed)? else { return Ok(None) };
    if let Err(refused) = consented(connection, &live, change, context).await {
        if !flag(&before, "/spec/unschedulable") {
            set_unschedulable(connection, node, false).await.map_err(failed)?;
        }
        return Err(refused);
    }
    Ok(Some(live))
}

/// Refuses a drain that loses what the group does not consent to.
async fn consented(
    connection: &Connection,
    live: &Value,
    change: &Change,
    context: &ActionContext,
) -> Result<(), ActionError> {
    let node = node_name(change);
    let what = format!("cannot see what draining node {node} loses");
    let mut lost = losses(connection, live).await.map_err(|error| error.while_doing(&what))?;
    lost.retain(|lost| input(change, lost.loss.consent()) != Some(&Value::Bool(true)));
    if lost.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = lost.iter().map(Lost::to_string).collect();
    let message = format!("node {node} is not drained: that would lose for good {}", names.join(", "));
    let fields: BTreeSet<&str> = lost.iter().map(|lost| lost.loss.consent()).collect();
    let fields: Vec<String> = fields.into_iter().map(|field| format!("spec.drain.{field}=true")).collect();
    let group = input(change, "group").and_then(Value::as_str).unwrap_or("GROUP");
    Err(ActionError::permanent(message).hint(format!(
        "If this may be lost: `kubewright set cluster {} --instance-group {group} {}`.",
        context.cluster,
        fields.join(" ")
    )))
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
enum Blocked {
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
    async fn go(&self) -> Result<BTreeMap<String, Blocked>, ApiError> {
        let pods = of_node(self.connection, self.node).await?;
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
    async fn ask(&self, pod: &Value) -> Result<Option<Blocked>, ApiError> {
        match fate(pod) {
            EvictionDecision::Stays => return Ok(None),
            // Nobody is there to end it.
            EvictionDecision::Going if !self.heard_of => return Ok(None),
            EvictionDecision::Going => return Ok(Some(Blocked::Ending)),
            EvictionDecision::Goes => {}
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
            Ok(_) => Ok(self.heard_of.then_some(Blocked::Ending)),
            Err(error) if error.is_not_found() || error.code() == Some(409) => Ok(Some(Blocked::Ending)),
            Err(ApiError::Refused { code: 429, causes, message, .. }) => {
                Ok(Some(budget(&causes).map_or(Blocked::Refused(message), |name| Blocked::Budget(name.to_owned()))))
            }
            Err(error @ ApiError::Refused { .. }) => Ok(Some(Blocked::Refused(error.to_string()))),
            Err(error) => Err(error),
        }
    }
}

fn describe(left: &BTreeMap<String, Blocked>) -> String {
    let held: Vec<String> = left
        .iter()
        .filter_map(|(pod, held)| match held {
            Blocked::Ending => None,
            Blocked::Budget(budget) => Some(format!("{pod} is held by disruption budget {budget}")),
            Blocked::Refused(why) => Some(format!("{pod} is not evicted: {why}")),
        })
        .collect();
    let ending = left.len() - held.len();
    let mut parts = Vec::new();
    if ending > 0 {
        let names: Vec<&str> =
            left.iter().filter(|(_, held)| **held == Blocked::Ending).map(|(pod, _)| pod.as_str()).take(3).collect();
        let more = if ending > names.len() { ", …" } else { "" };
        let pods = if ending == 1 { "pod is" } else { "pods are" };
        parts.push(format!("{ending} {pods} ending ({}{more})", names.join(", ")));
    }
    parts.extend(held);
    parts.join("; ")
}

fn advice(left: &BTreeMap<String, Blocked>) -> &'static str {
    if left.values().any(|held| matches!(held, Blocked::Budget(_))) {
        "Add replicas or relax the disruption budget, then run the command again: it goes on where it stopped."
    } else {
        "Look at the pods that are left, then run the command again: it goes on where it stopped."
    }
}

#[cfg(test)]
mod tests;
