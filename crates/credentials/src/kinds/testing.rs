//! A small world for tests of the kinds: records, outputs, a clock, and the handler.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use engine::{
    ActionContext, ActionError, Clock, Event, EventSink, Handler as _, ObserveContext, ObserveRequest, Output, Outputs,
    Randomness, UnresolvedReference,
};
use jiff::{SignedDuration, Timestamp};
use plan::{ActionId, Change, Operation, Reason};
use resource::{Lifecycle, Observation, Recorded, Reference, ResourceId};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::Credentials;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<ResourceId, (Recorded, Outputs)>>>);

/// What the engine would do around the handler, without a store.
pub(crate) struct World {
    kept: Kept,
    now: Timestamp,
}

struct Context {
    kept: Kept,
    now: Timestamp,
}

impl Clock for Context {
    fn now(&self) -> Timestamp {
        self.now
    }
}

impl ObserveContext for Context {
    fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
        let output = self.outputs(&reference.resource).get(&reference.output).cloned();
        output.ok_or_else(|| UnresolvedReference(reference.clone()))
    }

    fn outputs(&self, resource: &ResourceId) -> Outputs {
        self.kept.0.lock().unwrap().get(resource).map(|(_, outputs)| outputs.clone()).unwrap_or_default()
    }

    fn clock(&self) -> &dyn Clock {
        self
    }

    fn digest_key(&self, _scope: &str) -> [u8; 32] {
        [0; 32]
    }
}

/// Counts up, so that every key of a world differs and every world is the same.
#[derive(Default)]
struct Counting(AtomicU8);

impl Randomness for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

struct Silence;

impl EventSink for Silence {
    fn emit(&self, _event: Event) {}
}

impl World {
    pub(crate) fn new() -> Self {
        Self { kept: Kept::default(), now: "2026-11-20T22:46:00Z".parse().unwrap() }
    }

    pub(crate) fn pass_days(&mut self, days: i64) {
        self.now += SignedDuration::from_hours(24 * days);
    }

    fn context(&self) -> Arc<Context> {
        Arc::new(Context { kept: self.kept.clone(), now: self.now })
    }

    async fn observe_with(&self, id: &str, desired: Option<&Value>) -> Observation {
        let id: ResourceId = id.parse().unwrap();
        let recorded = self.kept.0.lock().unwrap().get(&id).map(|(recorded, _)| recorded.clone());
        let request = ObserveRequest { id: id.clone(), desired: desired.cloned(), recorded };
        Credentials.observe(vec![request], self.context()).await.remove(&id).unwrap()
    }

    /// What is observed; `None` when it is absent.
    pub(crate) async fn observe(&self, id: &str, desired: &Value) -> Option<Value> {
        present(self.observe_with(id, Some(desired)).await)
    }

    pub(crate) async fn observe_unwanted(&self, id: &str) -> Option<Value> {
        present(self.observe_with(id, None).await)
    }

    /// Why it is unknown.
    pub(crate) async fn unknown(&self, id: &str, desired: &Value) -> String {
        match self.observe_with(id, Some(desired)).await {
            Observation::Unknown { why } => why,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn create(&self, id: &str, wanted: &Value) -> Result<Outputs, ActionError> {
        self.apply(id, wanted, Operation::Create, false).await
    }

    pub(crate) async fn update(&self, id: &str, wanted: &Value) -> Result<Outputs, ActionError> {
        self.apply(id, wanted, Operation::Update, false).await
    }

    pub(crate) async fn replace(&self, id: &str, wanted: &Value) -> Result<Outputs, ActionError> {
        self.apply(id, wanted, Operation::Create, true).await
    }

    async fn apply(
        &self,
        id: &str,
        wanted: &Value,
        operation: Operation,
        replaces: bool,
    ) -> Result<Outputs, ActionError> {
        let resource: ResourceId = id.parse().unwrap();
        let change = Change {
            id: ActionId::new(operation.verb(), &resource),
            resource: resource.clone(),
            operation,
            reason: Reason::New,
            replaces,
            fields: Vec::new(),
            effects: Vec::new(),
            expect: None,
            before: None,
            after: Some(wanted.clone()),
            depends_on: BTreeSet::new(),
        };
        let context = ActionContext {
            action: change.id.clone(),
            cluster: "demo".into(),
            epoch: 1,
            token: String::new(),
            outputs: self.context(),
            randomness: Arc::new(Counting::default()),
            events: Arc::new(Silence),
            cancel: CancellationToken::new(),
            unfinished: tokio_util::task::TaskTracker::new(),
        };
        let outputs = Credentials.apply(&change, &context).await?.outputs;
        self.kept.0.lock().unwrap().insert(resource, (record(wanted, &outputs), outputs.clone()));
        Ok(outputs)
    }

    pub(crate) fn outputs(&self, id: &str) -> Outputs {
        self.context().outputs(&id.parse().unwrap())
    }

    pub(crate) fn secrets_of(&self, id: &str) -> Vec<String> {
        let is_secret = |(name, output): (String, Output)| matches!(output, Output::Secret(_)).then_some(name);
        self.outputs(id).into_iter().filter_map(is_secret).collect()
    }

    /// The vault no longer has its secrets; the record still names them.
    pub(crate) fn lose_secrets(&self, id: &str) {
        let mut kept = self.kept.0.lock().unwrap();
        let (_, outputs) = kept.get_mut(&id.parse().unwrap()).unwrap();
        outputs.retain(|_, output| matches!(output, Output::Public(_)));
    }

    /// The state remembers that a creation began, and nothing more.
    pub(crate) fn record_interrupted(&self, id: &str, wanted: &Value) {
        let recorded = Recorded { tainted: true, ..record(wanted, &Outputs::new()) };
        self.kept.0.lock().unwrap().insert(id.parse().unwrap(), (recorded, Outputs::new()));
    }

    pub(crate) fn set_public(&self, id: &str, name: &str, text: &str) {
        let mut kept = self.kept.0.lock().unwrap();
        let (_, outputs) = kept.get_mut(&id.parse().unwrap()).unwrap();
        outputs.insert(name.to_owned(), Output::Public(text.into()));
    }
}

fn present(observation: Observation) -> Option<Value> {
    match observation {
        Observation::Present { attributes, .. }
        | Observation::Orphan { attributes }
        | Observation::Foreign { attributes } => Some(attributes),
        Observation::Absent => None,
        Observation::Unknown { why } => panic!("unknown: {why}"),
    }
}

fn record(wanted: &Value, outputs: &Outputs) -> Recorded {
    let mut recorded = Recorded { lifecycle: Lifecycle::Generated, ..Recorded::of_inputs(1, wanted.clone()) };
    for (name, output) in outputs {
        match output {
            Output::Public(value) => {
                recorded.outputs.insert(name.clone(), value.clone());
            }
            Output::Secret(secret) => {
                let digest = resource::Digest::of_bytes(secret.reveal().as_bytes());
                recorded.secrets.insert(name.clone(), digest);
            }
        }
    }
    recorded
}
