//! The port through which the engine observes and changes one family of kinds.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use plan::{ActionId, Change, Expander};
use resource::{KindSchema, Observation, Recorded, Reference, ResourceId, Secret};
use serde_json::Value;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{ActionError, Clock, Event, EventSink, Randomness};

/// One output of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// May be shown and stored as it is.
    Public(Value),
    /// Stored encrypted, never shown.
    Secret(Secret),
}

impl Output {
    /// The output as text, for whoever writes it to a machine.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Public(value) => value.as_str(),
            Self::Secret(secret) => Some(secret.reveal()),
        }
    }
}

/// The outputs of one resource by name.
pub type Outputs = BTreeMap<String, Output>;

/// A reference to an output that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} has no output `{}` yet", .0.resource, .0.output)]
pub struct UnresolvedReference(pub Reference);

/// One resource to look for.
#[derive(Debug, Clone)]
pub struct ObserveRequest {
    /// Which.
    pub id: ResourceId,
    /// What the spec asks for, references unresolved; `None` when it is no longer wanted.
    pub desired: Option<Value>,
    /// What the state remembers; `None` when it was never made.
    pub recorded: Option<Recorded>,
}

impl ObserveRequest {
    /// The inputs to look for: the desired ones, else the recorded ones.
    pub fn inputs(&self) -> Option<&Value> {
        self.desired.as_ref().or_else(|| self.recorded.as_ref().map(|recorded| &recorded.inputs))
    }
}

/// What a handler may ask while it observes.
pub trait ObserveContext: Send + Sync {
    /// An output of a recorded resource.
    fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference>;
    /// All recorded public and secret outputs of a resource, empty where it was never made.
    fn outputs(&self, resource: &ResourceId) -> Outputs;
    /// The time.
    fn clock(&self) -> &dyn Clock;
    /// A key for comparing secrets of `scope` (a machine's name) without showing them: HMAC-SHA-256 under it.
    fn digest_key(&self, scope: &str) -> [u8; 32];
}

/// What a handler may ask and say while it applies one change.
#[derive(Clone)]
pub struct ActionContext {
    /// The action being carried out.
    pub action: ActionId,
    /// The cluster's name.
    pub cluster: String,
    /// Epoch of the lease; agents refuse lower ones.
    pub epoch: u64,
    /// Names the attempt, for whoever must not make a thing twice. Of what makes and changes things it is written down before that
    /// takes effect; a creation that was cut off is tried again under the same one, as long as it asks for the same.
    pub token: String,
    /// Outputs of everything that this action depends on.
    pub outputs: Arc<dyn ObserveContext>,
    /// The source of keys and tokens.
    pub randomness: Arc<dyn Randomness>,
    /// Where progress goes.
    pub events: Arc<dyn EventSink>,
    /// Cancelled on the second Ctrl-C, and when the action has taken longer than it may.
    pub cancel: CancellationToken,
    /// Who goes on working when the action is given up holds one of its tokens: the run, and with it the lease, ends after
    /// them.
    pub unfinished: TaskTracker,
}

impl ActionContext {
    /// Says what the action is doing, as a fragment.
    pub fn progress(&self, note: impl Into<String>) {
        self.events.emit(Event::ActionProgress { action: self.action.clone(), note: note.into() });
    }
}

/// What an applied change gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// Outputs, recorded before anything that depends on them starts.
    pub outputs: Outputs,
}

/// Observes and applies one family of kinds.
#[async_trait]
pub trait Handler: Send + Sync {
    /// The kinds it handles.
    fn schemas(&self) -> Vec<KindSchema>;

    /// How changes of a kind become ordered atomic changes, for kinds where one change is several steps.
    fn expanders(&self) -> Vec<(&'static str, Expander)> {
        Vec::new()
    }

    /// Looks for many resources at once, without changing anything.
    ///
    /// Answers for every request; what could not be asked is [`Observation::Unknown`]. Attributes of present resources
    /// have the shape of the desired inputs: a field that agrees is equal JSON, references included.
    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation>;

    /// Carries out one atomic change. Doing it twice must do no more than doing it once. It has ended well when what it did can be
    /// seen: where that takes time, [`crate::ErrorClass::NotYetVisible`] asks for another try.
    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError>;
}
