//! What tests of handlers stand on: a fake cluster that is recorded, and the context of an action.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use engine::{
    ActionContext, ActionError, Applied, Clock, Event, EventSink, Handler as _, ObserveContext, ObserveRequest, Output,
    Outputs, Randomness, UnresolvedReference,
};
use jiff::Timestamp;
use plan::{ActionId, Change, Operation, Reason};
use resource::{Observation, Reference, ResourceId, Secret};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fake::Fake;
use crate::handler::as_recorded;
use crate::{Access, Connections, ObjectsHandler};

/// A cluster with two API servers and a handler that knows it.
pub(crate) struct World {
    pub(crate) fake: Fake,
    pub(crate) handler: ObjectsHandler,
    pub(crate) connections: Arc<Connections>,
    pub(crate) memory: Memory,
}

/// Recorded outputs, and what was said.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) outputs: Arc<Mutex<BTreeMap<ResourceId, Outputs>>>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    /// The time stands still unless a real cluster watches it.
    is_real: bool,
}

pub(crate) const SERVERS: [&str; 2] = ["https://10.0.0.2:6443", "https://10.0.0.3:6443"];

pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

pub(crate) fn access_reference() -> Value {
    Reference::new(id("cluster/demo"), "access").to_value()
}

impl World {
    /// A world whose cluster is recorded as made.
    pub(crate) fn new() -> Self {
        let fake = Fake::new();
        let connections = Arc::new(Connections::with_dial(Arc::new(fake.clone())));
        let world =
            Self { fake, handler: ObjectsHandler::new(connections.clone()), connections, memory: Memory::default() };
        world.record("cluster/demo", "access", Output::Secret(Self::access()));
        world.record("cluster/demo", "kubeSystemUid", Output::Public(json!("uid-of-cluster")));
        world
    }

    /// A world that talks to a real cluster, of which nothing is recorded yet.
    pub(crate) fn real() -> Self {
        let connections = Arc::new(Connections::new());
        let handler = ObjectsHandler::new(connections.clone());
        let memory = Memory { is_real: true, ..Memory::default() };
        Self { fake: Fake::new(), handler, connections, memory }
    }

    /// The recorded access of the cluster.
    pub(crate) fn recorded_access(&self) -> Secret {
        match self.memory.outputs(&id("cluster/demo")).remove("access") {
            Some(Output::Secret(access)) => access,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn access() -> Secret {
        let servers = SERVERS.iter().map(|server| (*server).to_owned()).collect();
        Access { servers, authority: "CA".into(), certificate: "CERT".into(), key: "KEY".into() }.to_secret()
    }

    pub(crate) fn record(&self, resource: &str, name: &str, output: Output) {
        let mut outputs = self.memory.outputs.lock().unwrap();
        outputs.entry(id(resource)).or_default().insert(name.to_owned(), output);
    }

    pub(crate) fn context(&self, action: &ActionId) -> ActionContext {
        ActionContext {
            action: action.clone(),
            cluster: "demo".into(),
            epoch: 1,
            token: String::new(),
            outputs: Arc::new(self.memory.clone()),
            randomness: Arc::new(self.memory.clone()),
            events: Arc::new(self.memory.clone()),
            cancel: CancellationToken::new(),
            unfinished: tokio_util::task::TaskTracker::new(),
        }
    }

    pub(crate) fn change(operation: Operation, resource: &str, before: Option<Value>, after: Option<Value>) -> Change {
        Change {
            id: ActionId::new(operation.verb(), &id(resource)),
            resource: id(resource),
            operation,
            reason: Reason::New,
            replaces: false,
            fields: Vec::new(),
            effects: Vec::new(),
            expect: None,
            before,
            after,
            depends_on: BTreeSet::new(),
        }
    }

    pub(crate) async fn apply(&self, change: &Change) -> Result<Applied, ActionError> {
        self.handler.apply(change, &self.context(&change.id)).await
    }

    pub(crate) async fn create(&self, resource: &str, inputs: &Value) -> Result<Applied, ActionError> {
        self.apply(&Self::change(Operation::Create, resource, None, Some(inputs.clone()))).await
    }

    pub(crate) async fn observe(&self, resource: &str, desired: Option<&Value>, before: Option<&Value>) -> Observation {
        let request =
            ObserveRequest { id: id(resource), desired: desired.cloned(), recorded: before.cloned().map(as_recorded) };
        self.handler.observe(vec![request], Arc::new(self.memory.clone())).await.remove(&id(resource)).unwrap()
    }

    /// The same of a wanted resource, with everything that was seen beside it.
    pub(crate) async fn observe_all(&self, resource: &str, desired: &Value) -> BTreeMap<ResourceId, Observation> {
        let request = ObserveRequest { id: id(resource), desired: Some(desired.clone()), recorded: None };
        self.handler.observe(vec![request], Arc::new(self.memory.clone())).await
    }

    /// Everything that was said so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        let events = self.memory.events.lock().unwrap();
        let text = |event: &Event| match event {
            Event::ActionProgress { note, .. } => note.clone(),
            Event::Note { text } => text.clone(),
            other => format!("{other:?}"),
        };
        events.iter().map(text).collect()
    }
}

impl ObserveContext for Memory {
    fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
        let outputs = self.outputs.lock().unwrap();
        let found = outputs.get(&reference.resource).and_then(|outputs| outputs.get(&reference.output));
        found.cloned().ok_or_else(|| UnresolvedReference(reference.clone()))
    }

    fn outputs(&self, resource: &ResourceId) -> Outputs {
        self.outputs.lock().unwrap().get(resource).cloned().unwrap_or_default()
    }

    fn clock(&self) -> &dyn Clock {
        self
    }

    fn digest_key(&self, _: &str) -> [u8; 32] {
        [7; 32]
    }
}

impl Clock for Memory {
    fn now(&self) -> Timestamp {
        if self.is_real { Timestamp::now() } else { "2026-01-01T00:00:00Z".parse().unwrap() }
    }
}

impl Randomness for Memory {
    fn fill(&self, bytes: &mut [u8]) {
        for (index, byte) in (0_u8..).zip(bytes) {
            *byte = index.wrapping_mul(11);
        }
    }
}

impl EventSink for Memory {
    fn emit(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}
