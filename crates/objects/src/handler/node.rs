//! Nodes: made by their kubelets; labelled, annotated, tainted and cordoned by us.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::{ActionContext, ActionError, Applied, ObserveContext, ObserveRequest};
use plan::{Change, Operation};
use resource::{Behaviour, KindSchema, Observation, ResourceId};
use serde_json::{Map, Value, json};

use super::Scope;
use super::site::{Batch, batches, of_change};
use crate::connection::Connection;
use crate::field::flag;
use crate::projection::Projector;
use crate::request::Request;
use crate::wait::Wait;
use crate::{ApiError, Connections, kubelet, taint};

/// Where Nodes live in the API.
pub(super) const NODES: &str = "/api/v1/nodes";

/// How long a kubelet may take to register.
const TIMEOUT: Duration = Duration::from_mins(3);

/// A live Node; `None` where it is not there.
pub(super) async fn find(connection: &Connection, name: &str) -> Result<Option<Value>, ApiError> {
    connection.find(&Request::get(&format!("{NODES}/{name}"))).await
}

pub(super) fn schema() -> KindSchema {
    KindSchema::plain("node").rule("access", Behaviour::Computed).rule("taints", Behaviour::Unordered)
}

/// What of a Node is ours, as a manifest for server-side apply.
fn manifest(name: &str, inputs: &Value) -> Value {
    let mut metadata = Map::from_iter([("name".to_owned(), json!(name))]);
    for field in ["labels", "annotations"] {
        if let Some(value) = inputs.get(field) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    json!({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
}

/// The manifest with a note of which taints are ours.
fn with_taint_note(mut manifest: Value, taints: &Value) -> Value {
    let ours = taint::annotation(taints);
    if let (false, Some(Value::Object(metadata))) = (ours.is_empty(), manifest.get_mut("metadata")) {
        let mut annotations =
            metadata.remove("annotations").and_then(|value| value.as_object().cloned()).unwrap_or_default();
        annotations.insert(taint::ANNOTATION.to_owned(), json!(ours));
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    manifest
}

pub(super) async fn observe(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
    scope: Scope,
) -> BTreeMap<ResourceId, Observation> {
    let (batches, mut answers) = batches(connections, requests, context).await;
    for Batch { connection, requests } in batches {
        let names: Vec<&str> = requests.iter().map(|request| request.id.name()).collect();
        let found = fetch(&connection, &names, scope).await;
        if let Ok(nodes) = &found {
            let beside = nodes.iter().filter(|(name, _)| !names.contains(&name.as_str()));
            answers.extend(beside.map(|(name, live)| (ResourceId::new("node", name), foreign(live))));
        }
        answers.extend(requests.iter().map(|request| {
            let observation = match &found {
                Ok(nodes) => nodes.get(request.id.name()).map_or(Observation::Absent, |live| present(live, request)),
                Err(error) => Observation::unknown(error.to_string()),
            };
            (request.id.clone(), observation)
        }));
    }
    answers
}

/// A Node that nobody asked for: it is told of, not looked at.
fn foreign(live: &Value) -> Observation {
    Observation::present(json!({"uid": live.pointer("/metadata/uid")}))
}

async fn fetch(connection: &Connection, names: &[&str], scope: Scope) -> Result<BTreeMap<String, Value>, ApiError> {
    let nodes = match names {
        [name] if scope == Scope::Asked => find(connection, name).await?.into_iter().collect(),
        _ => connection.list(NODES, &[]).await?,
    };
    let named = |mut node: Value| {
        let name = node.pointer("/metadata/name")?.as_str()?.to_owned();
        node["apiVersion"] = json!("v1");
        node["kind"] = json!("Node");
        Some((name, node))
    };
    Ok(nodes.into_iter().filter_map(named).collect())
}

fn present(live: &Value, request: &ObserveRequest) -> Observation {
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return Observation::unknown("it is being deleted");
    }
    let recorded = request.recorded.as_ref().map(|recorded| &recorded.inputs);
    let desired = request.inputs();
    Observation::present(attributes(live, request.id.name(), desired.unwrap_or(&Value::Null), recorded))
}

/// What of a live Node is ours, in the shape of the inputs.
fn attributes(live: &Value, name: &str, desired: &Value, recorded: Option<&Value>) -> Value {
    // Nothing of a Node comes from a reference.
    let projector = Projector { resolve: &|_| None, mask: &|_| "hmac:".to_owned() };
    let recorded_manifest = recorded.map(|recorded| manifest(name, recorded));
    let projected = projector.project(live, Some(&manifest(name, desired)), recorded_manifest.as_ref());
    let mut attributes = desired.clone();
    for field in ["labels", "annotations"] {
        match projected.pointer(&format!("/metadata/{field}")).cloned().map(without_own) {
            Some(value) if desired.get(field).is_some() || value != json!({}) => attributes[field] = value,
            _ => remove(&mut attributes, field),
        }
    }
    let taints = taint::observed(&taints(live), &field(desired, "taints"), &managed_taints(live, recorded));
    if desired.get("taints").is_some() || !taints.is_empty() {
        attributes["taints"] = json!(taints);
    }
    if desired.get("unschedulable").is_some() {
        attributes["unschedulable"] = json!(flag(live, "/spec/unschedulable"));
    }
    attributes
}

/// Annotations without the one that is our own bookkeeping.
fn without_own(mut annotations: Value) -> Value {
    remove(&mut annotations, taint::ANNOTATION);
    annotations
}

fn remove(object: &mut Value, name: &str) {
    if let Value::Object(fields) = object {
        fields.remove(name);
    }
}

fn field(inputs: &Value, name: &str) -> Value {
    inputs.get(name).cloned().unwrap_or_default()
}

fn taints(live: &Value) -> Value {
    live.pointer("/spec/taints").cloned().unwrap_or_default()
}

fn managed_taints(live: &Value, recorded: Option<&Value>) -> BTreeSet<taint::TaintKey> {
    let annotations = live.pointer("/metadata/annotations");
    let annotated = annotations.and_then(|annotations| annotations.get(taint::ANNOTATION)).and_then(Value::as_str);
    let mut managed = taint::annotated(annotated.unwrap_or_default());
    managed.extend(taint::keys(&recorded.map(|recorded| field(recorded, "taints")).unwrap_or_default()));
    managed
}

pub(super) async fn apply(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let connection = of_change(connections, change, context).await?;
    let name = change.resource.name();
    let path = format!("{NODES}/{name}");
    if change.operation == Operation::Delete {
        let gone = connection.find(&Request::delete(&path, None)).await;
        gone.map_err(|error| error.while_doing(&format!("cannot delete node {name}")))?;
        return Ok(Applied::default());
    }
    let inputs = change.after.as_ref().unwrap_or(&Value::Null);
    let live = wait_for(&connection, name, context).await?;
    let what = format!("cannot set labels and taints of node {name}");
    let managed = managed_taints(&live, change.before.as_ref());
    let manifest = with_taint_note(manifest(name, inputs), &field(inputs, "taints"));
    let live = connection.send(&Request::apply(&path, manifest)).await.map_err(|error| error.while_doing(&what))?;
    patch_spec(&connection, &path, live, inputs, &managed).await.map_err(|error| error.while_doing(&what))?;
    Ok(Applied::default())
}

/// Waits until a kubelet has registered the Node.
async fn wait_for(connection: &Connection, name: &str, context: &ActionContext) -> Result<Value, ActionError> {
    let mut wait = Wait::new(context, TIMEOUT, Duration::from_millis(100));
    loop {
        let what = format!("cannot look at node {name}");
        if let Some(node) = find(connection, name).await.map_err(|error| error.while_doing(&what))? {
            return Ok(node);
        }
        wait.say(format!("waiting for the kubelet of {name} to register"));
        if !wait.pause().await? {
            let message = format!("node {name} has not registered after {} min", TIMEOUT.as_secs() / 60);
            let hint = format!("Look at its kubelet: {}.", kubelet::journal(&context.cluster, name));
            return Err(ActionError::permanent(message).hint(hint));
        }
    }
}

/// Sets taints and the cordon, which others write too: the patch holds only for the version that was read.
async fn patch_spec(
    connection: &Connection,
    path: &str,
    mut live: Value,
    inputs: &Value,
    managed: &BTreeSet<taint::TaintKey>,
) -> Result<(), ApiError> {
    // Each round is lost only to somebody who wrote the Node in between.
    for _ in 0..20 {
        let spec = spec_changes(&live, inputs, managed);
        if spec.is_empty() {
            return Ok(());
        }
        let version = live.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
        let patch = json!({"metadata": {"resourceVersion": version}, "spec": spec});
        match connection.send(&Request::merge(path, patch)).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some(409) => live = connection.send(&Request::get(path)).await?,
            Err(error) => return Err(error),
        }
    }
    Err(ApiError::Answer("the Node changes faster than it can be patched".to_owned()))
}

/// What of the spec must change.
fn spec_changes(live: &Value, inputs: &Value, managed: &BTreeSet<taint::TaintKey>) -> Map<String, Value> {
    let mut spec = Map::new();
    let merged = taint::merged(&taints(live), &field(inputs, "taints"), managed);
    let live_taints = taints(live).as_array().cloned().unwrap_or_default();
    let same =
        merged.len() == live_taints.len() && taint::observed(&json!(live_taints), &json!(merged), managed) == merged;
    if !same {
        spec.insert("taints".to_owned(), if merged.is_empty() { Value::Null } else { json!(merged) });
    }
    if let Some(wanted) = inputs.get("unschedulable").and_then(Value::as_bool) {
        let is = flag(live, "/spec/unschedulable");
        if is != wanted {
            spec.insert("unschedulable".to_owned(), if wanted { json!(true) } else { Value::Null });
        }
    }
    spec
}

#[cfg(test)]
mod tests;
