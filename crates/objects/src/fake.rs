//! An API server in memory for tests: keeps objects, applies, merges, evicts, and can be scripted and broken.

mod answer;
pub(crate) mod apply;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use http::Response;
use kube::Client;
use kube::client::Body;
use resource::Secret;
use serde_json::{Value, json};
use tower::BoxError;

use crate::{Access, ApiError, Dial};

type Event = Box<dyn FnOnce(&mut State) + Send>;

/// What the fake keeps.
#[derive(Default)]
pub(crate) struct State {
    /// Objects by the path of each.
    pub(crate) objects: BTreeMap<String, Value>,
    /// `METHOD path` of every request but probes.
    pub(crate) requests: Vec<String>,
    /// Why a server is not ready, by address.
    pub(crate) unready: BTreeMap<String, String>,
    /// Why the server cannot reach a node's kubelet, by the node's name.
    pub(crate) silent_kubelets: BTreeMap<String, String>,
    /// Servers that answer nothing at all.
    pub(crate) dead: BTreeSet<String>,
    /// The budget that holds a pod, by the pod's path.
    pub(crate) budgets: BTreeMap<String, String>,
    /// Discovery documents by path.
    pub(crate) discovery: BTreeMap<String, Value>,
    /// Whether tokens may ask for certificates.
    pub(crate) token_allowed: bool,
    counter: u32,
    script: BTreeMap<u32, Vec<Event>>,
    before_patch: Vec<Event>,
    seen: u32,
}

impl State {
    /// Stores an object with the metadata that a server gives it.
    pub(crate) fn put(&mut self, path: &str, mut object: Value) -> Value {
        self.counter += 1;
        let old = self.objects.get(path);
        let kept = |name: &str| old.and_then(|old| old["metadata"].get(name)).cloned();
        let metadata = &mut object["metadata"];
        if metadata.get("uid").is_none() {
            metadata["uid"] = kept("uid").unwrap_or_else(|| json!(format!("uid-{}", self.counter)));
        }
        if metadata.get("creationTimestamp").is_none() {
            let now = json!(format!("2026-01-01T00:00:{:02}Z", self.counter % 60));
            metadata["creationTimestamp"] = kept("creationTimestamp").unwrap_or(now);
        }
        metadata["resourceVersion"] = json!(self.counter.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }
}

/// A fake cluster; clones share their state.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<State>>);

impl Fake {
    /// A cluster that has nothing but kube-system.
    pub(crate) fn new() -> Self {
        let fake = Self(Arc::new(Mutex::new(State { token_allowed: true, ..State::default() })));
        let namespace = json!({"metadata": {"name": "kube-system", "uid": "uid-of-cluster"}});
        fake.state().put("/api/v1/namespaces/kube-system", namespace);
        fake
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Does `event` before the `count`th request from now, probes included.
    pub(crate) fn before_request(&self, count: u32, event: impl FnOnce(&mut State) + Send + 'static) {
        let mut state = self.state();
        let at = state.seen + count;
        state.script.entry(at).or_default().push(Box::new(event));
    }

    /// Does `event` before the next change of an object.
    pub(crate) fn before_patch(&self, event: impl FnOnce(&mut State) + Send + 'static) {
        self.state().before_patch.push(Box::new(event));
    }

    async fn serve(self, server: String, request: http::Request<Body>) -> Result<Response<Body>, BoxError> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut state = self.state();
        state.seen += 1;
        let now = state.seen;
        for event in state.script.remove(&now).unwrap_or_default() {
            event(&mut state);
        }
        if parts.method == http::Method::PATCH {
            for event in std::mem::take(&mut state.before_patch) {
                event(&mut state);
            }
        }
        if state.dead.contains(&server) {
            return Err("connection refused".into());
        }
        let (status, answer) = answer::answer(&mut state, &server, &parts, body);
        let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        Ok(Response::builder().status(status).body(Body::from(text.into_bytes()))?)
    }
}

impl Dial for Fake {
    fn client(&self, _: &Access, server: &str) -> Result<Client, ApiError> {
        let (fake, server) = (self.clone(), server.to_owned());
        let service = tower::service_fn(move |request| fake.clone().serve(server.clone(), request));
        Ok(Client::new(service, "default"))
    }

    fn token_client(&self, access: &Access, server: &str, _: &Secret) -> Result<Client, ApiError> {
        self.client(access, server)
    }
}
