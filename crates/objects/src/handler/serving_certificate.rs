//! Serving certificates of kubelets: requests that ask for the node's own names are approved, others are named.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::{ActionContext, ActionError, Applied, ObserveContext, ObserveRequest};
use jiff::Timestamp;
use plan::{Change, Operation};
use resource::{Behaviour, KindSchema, Observation, ResourceId};
use serde_json::{Value, json};

use super::node::{self, NODES};
use super::site::{Batch, batches, of_change};
use crate::connection::Connection;
use crate::csr::{Allowed, PATH as REQUESTS, Stage, check, of_node, stage};
use crate::field::{list, text};
use crate::request::Request;
use crate::wait::Wait;
use crate::{ApiError, Connections, kubelet};

/// How long a kubelet may take to ask, once its node is to exist.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How long a kubelet may take to serve with what it was given, or to ask again: one that has started anew meanwhile has lost
/// the key of what it asked for before.
const SERVING: Duration = Duration::from_secs(20);
/// How long one look at a kubelet may take.
const LOOK: Duration = Duration::from_secs(2);

pub(super) fn schema() -> KindSchema {
    KindSchema::plain("serving-certificate")
        .rule("access", Behaviour::Computed)
        .rule("addresses", Behaviour::Unordered)
        .rule("dnsNames", Behaviour::Unordered)
}

fn node_name<'a>(inputs: &'a Value, id: &'a ResourceId) -> &'a str {
    match text(inputs, "/node") {
        "" => id.name(),
        node => node,
    }
}

pub(super) async fn observe(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
) -> BTreeMap<ResourceId, Observation> {
    let (batches, mut answers) = batches(connections, requests, context).await;
    for Batch { connection, requests } in batches {
        let found = fetch(&connection, requests.iter().any(|request| request.recorded.is_none())).await;
        answers.extend(requests.into_iter().map(|request| {
            let observation = match &found {
                Ok((asked, nodes)) => observation(&request, asked, nodes),
                Err(error) => Observation::unknown(error.to_string()),
            };
            (request.id, observation)
        }));
    }
    answers
}

/// All requests, and when the nodes were made where that matters.
async fn fetch(connection: &Connection, with_nodes: bool) -> Result<(Vec<Value>, Vec<Value>), ApiError> {
    let asked =
        connection.list(REQUESTS, &[("fieldSelector", "spec.signerName=kubernetes.io/kubelet-serving")]).await?;
    let nodes = if with_nodes && !asked.is_empty() { connection.list(NODES, &[]).await? } else { Vec::new() };
    Ok((asked, nodes))
}

fn observation(request: &ObserveRequest, asked: &[Value], nodes: &[Value]) -> Observation {
    let inputs = request.inputs().cloned().unwrap_or_default();
    let node = node_name(&inputs, &request.id);
    let asked = of_node(asked, node);
    let pending: Vec<&str> =
        asked.iter().filter(|asked| stage(asked) == Stage::Pending).map(|asked| name(asked)).collect();
    let made = nodes.iter().find(|found| name(found) == node).and_then(created);
    match &request.recorded {
        Some(recorded) => {
            // Approved requests are swept away after an hour; the record outlives them.
            let mut attributes = recorded.inputs.clone();
            if !pending.is_empty() {
                attributes["pending"] = json!(pending);
            }
            Observation::present(attributes)
        }
        None if pending.is_empty() && asked.iter().any(|asked| is_approved_since(asked, made)) => {
            Observation::present(inputs)
        }
        None => Observation::Absent,
    }
}

/// Whether a request was approved for this node, rather than for an earlier one of the same name.
fn is_approved_since(request: &Value, made: Option<Timestamp>) -> bool {
    stage(request) == Stage::Approved && matches!((created(request), made), (Some(asked), Some(made)) if asked >= made)
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

fn created(object: &Value) -> Option<Timestamp> {
    object.pointer("/metadata/creationTimestamp")?.as_str()?.parse().ok()
}

pub(super) async fn apply(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    // What was approved can't be taken back; it ends with the node.
    let Some(inputs) = &change.after else { return Ok(Applied::default()) };
    let connection = of_change(connections, change, context).await?;
    let node = node_name(inputs, &change.resource);
    let allowed = allowed(node, inputs)?;
    let what = format!("cannot approve the serving certificate of {node}");
    let mut wait = Wait::new(context, TIMEOUT, Duration::from_millis(100));
    let mut serving = None;
    loop {
        let outcome = round(&connection, &allowed).await.map_err(|error| error.while_doing(&what))?;
        let refusal = describe(&outcome.refused);
        if outcome.approved > 0 || outcome.satisfied || (change.operation == Operation::Update && refusal.is_empty()) {
            if !refusal.is_empty() {
                wait.say(format!("left alone: {refusal}"));
            }
            let serving = serving.get_or_insert_with(|| Wait::new(context, SERVING, Duration::from_millis(100)));
            if !is_silent(&connection, node).await || !serving.pause().await? {
                return Ok(Applied::default());
            }
            serving.say(format!("waiting for the kubelet of {node} to serve with its certificate"));
            continue;
        }
        if !refusal.is_empty() {
            let hint = format!(
                "Compare with `kubectl get csr`. Only the addresses and names in the spec of {node} are approved; \
                 if the request is right, add them there, or approve it yourself: `kubectl certificate approve NAME`."
            );
            return Err(ActionError::permanent(format!("{what}: {refusal}")).hint(hint));
        }
        wait.say(format!("waiting for the kubelet of {node} to ask for its serving certificate"));
        if !wait.pause().await? {
            let message = format!("{what}: its kubelet has not asked for one after {} s", TIMEOUT.as_secs());
            let hint = format!("Look at its kubelet: {}.", kubelet::journal(&context.cluster, node));
            return Err(ActionError::permanent(message).hint(hint));
        }
    }
}

/// Whether a node's kubelet is there and serves nobody: it has no certificate, or starts anew.
async fn is_silent(connection: &Connection, node: &str) -> bool {
    let look = Request::get(&format!("{NODES}/{node}/proxy/healthz")).within(LOOK);
    connection.send(&look).await.is_err_and(|error| error.is_a_nodes())
}

fn allowed(node: &str, inputs: &Value) -> Result<Allowed, ActionError> {
    let texts = |name: &str| -> BTreeSet<String> {
        list(inputs, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let addresses: Result<_, _> = texts("/addresses").iter().map(|address| address.parse()).collect();
    let addresses = addresses.map_err(|_| ActionError::permanent(format!("an address of {node} is no IP address")))?;
    Ok(Allowed { node: node.to_owned(), dns_names: texts("/dnsNames"), addresses })
}

/// What one look at the requests led to.
struct Outcome {
    approved: usize,
    /// A request of this very node is approved already.
    satisfied: bool,
    /// Requests that ask for something foreign, and for what.
    refused: BTreeMap<String, String>,
}

async fn round(connection: &Connection, allowed: &Allowed) -> Result<Outcome, ApiError> {
    let selector = [("fieldSelector", "spec.signerName=kubernetes.io/kubelet-serving")];
    let requests = connection.list(REQUESTS, &selector).await?;
    let asked = of_node(&requests, &allowed.node);
    let mut outcome = Outcome { approved: 0, satisfied: false, refused: BTreeMap::new() };
    for request in asked.iter().filter(|request| stage(request) == Stage::Pending) {
        match check(request, allowed) {
            Ok(()) => {
                approve(connection, request).await?;
                outcome.approved += 1;
            }
            Err(why) => {
                outcome.refused.insert(name(request).to_owned(), why);
            }
        }
    }
    if outcome.approved == 0 && asked.iter().any(|request| stage(request) == Stage::Approved) {
        let node = node::find(connection, &allowed.node).await?;
        let made = node.as_ref().and_then(created);
        outcome.satisfied = asked.iter().any(|request| is_approved_since(request, made));
    }
    Ok(outcome)
}

async fn approve(connection: &Connection, request: &Value) -> Result<(), ApiError> {
    let mut approved = request.clone();
    approved["apiVersion"] = json!("certificates.k8s.io/v1");
    approved["kind"] = json!("CertificateSigningRequest");
    let condition = json!({
        "type": "Approved",
        "status": "True",
        "reason": "KubewrightApproved",
        "message": "names and addresses are those of the node's spec",
    });
    match approved.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        Some(conditions) => conditions.push(condition),
        None => approved["status"] = json!({"conditions": [condition]}),
    }
    let path = format!("{REQUESTS}/{}/approval", name(request));
    match connection.send(&Request::put(&path, approved)).await {
        // Somebody decided in between; the next look shows how.
        Err(error) if error.code() == Some(409) || error.is_not_found() => Ok(()),
        other => other.map(drop),
    }
}

fn describe(refused: &BTreeMap<String, String>) -> String {
    refused.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
