//! Observing many objects with few requests: one list per kind and namespace.

use std::collections::{BTreeMap, BTreeSet};

use engine::{ObserveContext, ObserveRequest};
use futures::StreamExt as _;
use futures::stream;
use hmac::{Hmac, KeyInit as _, Mac as _};
use resource::{Observation, ResourceId};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Address;
use super::ownership::{is_foreign, is_of_another_state};
use crate::connection::Connection;
use crate::field::{LINEAGE, OWNER, text};
use crate::handler::Scope;
use crate::handler::site::{Batch, batches};
use crate::projection::Projector;
use crate::request::Request;
use crate::resource_type::collection;
use crate::{ApiError, Connections};

/// Requests under way at once to one cluster.
const CONCURRENCY: usize = 8;

/// Objects of one kind in one namespace.
type Group = (String, String, String);

pub(in crate::handler) async fn observe(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
    scope: Scope,
) -> BTreeMap<ResourceId, Observation> {
    let (batches, mut answers) = batches(connections, requests, context).await;
    for Batch { connection, requests } in batches {
        answers.extend(observe_batch(&connection, requests, context, scope).await);
    }
    answers
}

async fn observe_batch(
    connection: &Connection,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
    scope: Scope,
) -> BTreeMap<ResourceId, Observation> {
    let mut groups: BTreeMap<Group, Vec<(String, ObserveRequest)>> = BTreeMap::new();
    let mut answers = BTreeMap::new();
    for request in requests {
        let manifest = request.inputs().and_then(|inputs| inputs.get("manifest"));
        if let Some(address) = manifest.and_then(Address::of) {
            let group = (address.api_version, address.kind, address.namespace);
            groups.entry(group).or_default().push((address.name, request));
        } else {
            answers.insert(request.id, Observation::unknown("its manifest has no apiVersion, kind or name"));
        }
    }
    let looked: Vec<_> = stream::iter(groups)
        .map(|(group, members)| async move {
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            let found = fetch(connection, &group, &names, scope).await;
            (members, found)
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for (members, found) in looked {
        if let (Scope::All, Ok(objects)) = (scope, &found) {
            answers.extend(orphans(objects, &members));
        }
        for (name, request) in members {
            let observation = match &found {
                Ok(objects) => objects.get(&name).map_or(Observation::Absent, |live| present(live, &request, context)),
                Err(error) => Observation::unknown(error.to_string()),
            };
            answers.insert(request.id, observation);
        }
    }
    answers
}

/// Objects that carry our marker and lie beside those that were asked for.
fn orphans(objects: &BTreeMap<String, Value>, asked: &[(String, ObserveRequest)]) -> Vec<(ResourceId, Observation)> {
    let names: BTreeSet<&str> = asked.iter().map(|(name, _)| name.as_str()).collect();
    let Some(inputs) = asked.iter().find_map(|(_, request)| request.inputs()) else { return Vec::new() };
    let beside = objects.iter().filter(|(name, _)| !names.contains(name.as_str()));
    beside.filter_map(|(_, live)| orphan(live, inputs)).collect()
}

/// An object that carries our marker, as the resource that it says it is.
///
/// Controllers and users copy annotations, so the marker must name the very object that carries it, and no other state than
/// the `inputs` of what was asked for.
fn orphan(live: &Value, inputs: &Value) -> Option<(ResourceId, Observation)> {
    let address = Address::of(live)?;
    let namespace = if address.namespace.is_empty() { "_" } else { &address.namespace };
    let name = format!("{}/{}/{namespace}/{}", address.api_version, address.kind, address.name);
    let id = ResourceId::new("object", &name);
    if text(live, OWNER) != id.as_str() || is_of_another_state(live, &inputs["manifest"]) {
        return None;
    }
    let attributes = adoptable(&address, &id, inputs);
    Some((id, Observation::orphan(attributes)))
}

/// What an object can be recorded as. What it holds is not told: it may be a Secret.
fn adoptable(address: &Address, id: &ResourceId, inputs: &Value) -> Value {
    let mut metadata = json!({"name": address.name, "annotations": {"kubewright.io/owner": id}});
    if let Some(lineage) = inputs["manifest"].pointer(LINEAGE) {
        metadata["annotations"]["kubewright.io/lineage"] = lineage.clone();
    }
    if !address.namespace.is_empty() {
        metadata["namespace"] = json!(address.namespace);
    }
    let manifest = json!({"apiVersion": address.api_version, "kind": address.kind, "metadata": metadata});
    json!({"access": inputs.get("access"), "manifest": manifest})
}

/// The objects of a group by name: where one is asked for, it is got; else all are listed.
async fn fetch(
    connection: &Connection,
    group: &Group,
    names: &[&str],
    scope: Scope,
) -> Result<BTreeMap<String, Value>, ApiError> {
    let (api_version, kind, namespace) = group;
    let path = match collection(connection, api_version, kind, namespace).await {
        Err(ApiError::UnknownKind { .. }) => return Ok(BTreeMap::new()),
        other => other?,
    };
    let items = match names {
        [name] if scope == Scope::Asked => {
            connection.find(&Request::get(&format!("{path}/{name}"))).await?.into_iter().collect()
        }
        _ => match connection.list(&path, &[]).await {
            // The server positively does not serve the kind.
            Err(error) if error.is_not_found() => Vec::new(),
            other => other?,
        },
    };
    let named = |mut item: Value| {
        let name = item.pointer("/metadata/name")?.as_str()?.to_owned();
        // Items of lists don't say what they are.
        item["apiVersion"] = json!(api_version);
        item["kind"] = json!(kind);
        Some((name, item))
    };
    Ok(items.into_iter().filter_map(named).collect())
}

fn present(live: &Value, request: &ObserveRequest, context: &dyn ObserveContext) -> Observation {
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return Observation::unknown("it is being deleted");
    }
    let inputs = request.inputs().unwrap_or(&Value::Null);
    if let (true, Some(address)) = (is_foreign(live, &request.id, &inputs["manifest"]), Address::of(live)) {
        return Observation::foreign(adoptable(&address, &request.id, inputs));
    }
    let key = context.digest_key("objects");
    let projector =
        Projector { resolve: &|reference| context.output(reference).ok(), mask: &|bytes| masked(&key, bytes) };
    let manifest = |inputs: Option<&Value>| inputs.and_then(|inputs| inputs.get("manifest")).cloned();
    let recorded = manifest(request.recorded.as_ref().map(|recorded| &recorded.inputs));
    // Something that is no longer wanted is compared with what was applied.
    let desired = manifest(request.desired.as_ref()).or_else(|| recorded.clone());
    let mut attributes = request.inputs().cloned().unwrap_or_default();
    attributes["manifest"] = projector.project(live, desired.as_ref(), recorded.as_ref());
    Observation::present(attributes)
}

fn masked(key: &[u8; 32], bytes: &[u8]) -> String {
    // A key of any length is accepted.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key) else { return "hmac:".to_owned() };
    hmac.update(bytes);
    format!("hmac:{}", hex::encode(hmac.finalize().into_bytes()))
}
