//! What the fake API server answers to one request.

use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

use super::State;
use super::apply::{merge, server_side_apply};
use crate::field::text;

/// The place that a path names.
struct Place {
    /// Path of the collection.
    collection: String,
    name: Option<String>,
    subresource: Option<String>,
}

impl Place {
    fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let root = if parts.first() == Some(&"api") { 2 } else { 3 };
        let namespaced = parts.get(root) == Some(&"namespaces") && parts.len() > root + 2;
        let plural = if namespaced { root + 2 } else { root };
        let text = |index: usize| parts.get(index).map(|part| (*part).to_owned());
        let collection = format!("/{}", parts.get(..=plural).unwrap_or_default().join("/"));
        Self { collection, name: text(plural + 1), subresource: text(plural + 2) }
    }
}

/// What a node's kubelet says of its health, by way of the server.
fn kubelet(state: &State, node: &str) -> (u16, Value) {
    match state.silent_kubelets.get(node) {
        Some(why) => failure(503, "ServiceUnavailable", &format!("error trying to reach service: {why}")),
        None => (200, json!("ok")),
    }
}

fn failure(code: u16, reason: &str, message: &str) -> (u16, Value) {
    (code, json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}))
}

pub(super) fn answer(state: &mut State, server: &str, parts: &Parts, body: Value) -> (u16, Value) {
    let path = parts.uri.path().to_owned();
    if path == "/readyz" {
        return match state.unready.get(server) {
            Some(why) => (500, json!(why)),
            None => (200, json!("ok")),
        };
    }
    state.requests.push(format!("{} {path}", parts.method));
    if path.ends_with("/selfsubjectaccessreviews") {
        return (201, json!({"status": {"allowed": state.token_allowed}}));
    }
    if let Some(document) = state.discovery.get(&path) {
        return (200, document.clone());
    }
    let place = Place::parse(&path);
    match (&parts.method, &place.name, place.subresource.as_deref()) {
        (&Method::GET, Some(name), Some("proxy")) => kubelet(state, name),
        (&Method::GET, Some(_), None) => found(state, &path),
        (&Method::GET, None, _) => (200, list(state, &place, parts.uri.query().unwrap_or_default())),
        (&Method::POST, Some(name), Some("eviction")) => evict(state, &format!("{}/{name}", place.collection), &body),
        (&Method::POST, None, _) => create(state, &place, body),
        (&Method::PUT, Some(name), Some(_)) => (200, state.put(&format!("{}/{name}", place.collection), body)),
        (&Method::PATCH, Some(_), None) => patch(state, parts, &path, body),
        (&Method::DELETE, Some(_), None) => delete(state, &path, &body),
        _ => failure(405, "MethodNotAllowed", "not faked"),
    }
}

fn found(state: &State, path: &str) -> (u16, Value) {
    state.objects.get(path).map_or_else(|| failure(404, "NotFound", "not found"), |object| (200, object.clone()))
}

fn list(state: &State, place: &Place, query: &str) -> Value {
    let plural = place.collection.rsplit('/').next().unwrap_or_default();
    let selector = query.split('&').find_map(|part| part.strip_prefix("fieldSelector=")?.split_once("%3D"));
    let is_selected = |object: &Value| {
        let is = |(field, value): (&str, &str)| {
            text(object, &format!("/{}", field.replace('.', "/"))) == value.replace("%2F", "/")
        };
        selector.is_none_or(is)
    };
    let items: Vec<Value> = state
        .objects
        .iter()
        .filter(|(path, _)| {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            parent == place.collection
                || (plural == "pods" && place.collection == "/api/v1/pods" && parent.ends_with("/pods"))
        })
        .filter(|(_, object)| is_selected(object))
        .map(|(_, object)| {
            let mut item = object.clone();
            // Real lists leave the types of their items out.
            item.as_object_mut().unwrap().retain(|name, _| name != "apiVersion" && name != "kind");
            item
        })
        .collect();
    json!({"kind": "List", "metadata": {}, "items": items})
}

fn create(state: &mut State, place: &Place, body: Value) -> (u16, Value) {
    let path = format!("{}/{}", place.collection, body["metadata"]["name"].as_str().unwrap());
    if state.objects.contains_key(&path) {
        return failure(409, "AlreadyExists", "already exists");
    }
    (201, state.put(&path, body))
}

fn patch(state: &mut State, parts: &Parts, path: &str, body: Value) -> (u16, Value) {
    let live = state.objects.get(path).cloned();
    if parts.headers["content-type"] == "application/apply-patch+yaml" {
        assert_eq!(parts.uri.query(), Some("fieldManager=kubewright&force=true"));
        return (200, state.put(path, server_side_apply(live, body)));
    }
    let Some(mut live) = live else { return failure(404, "NotFound", "not found") };
    let version = body.pointer("/metadata/resourceVersion");
    if version.is_some() && version != live.pointer("/metadata/resourceVersion") {
        return failure(409, "Conflict", "the object has been modified");
    }
    merge(&mut live, &body);
    (200, state.put(path, live))
}

fn delete(state: &mut State, path: &str, body: &Value) -> (u16, Value) {
    let Some(live) = state.objects.get(path) else { return failure(404, "NotFound", "not found") };
    let wanted = body.pointer("/preconditions/uid");
    if wanted.is_some() && wanted != live.pointer("/metadata/uid") {
        return failure(409, "Conflict", "the UID in the precondition does not match");
    }
    state.objects.remove(path);
    (200, json!({"kind": "Status", "status": "Success"}))
}

fn evict(state: &mut State, path: &str, body: &Value) -> (u16, Value) {
    assert_eq!((&body["apiVersion"], &body["kind"]), (&json!("policy/v1"), &json!("Eviction")));
    if let Some(budget) = state.budgets.get(path) {
        let cause = format!("The disruption budget {budget} needs 2 healthy pods and has 2 currently");
        let (code, mut status) =
            failure(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.");
        status["details"] = json!({"causes": [{"reason": "DisruptionBudget", "message": cause}]});
        return (code, status);
    }
    match state.objects.remove(path) {
        Some(_) => (201, json!({"kind": "Status", "status": "Success"})),
        None => failure(404, "NotFound", "not found"),
    }
}
