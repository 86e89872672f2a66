//! One action of a run, carried out between its two journal records.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use plan::{ActionId, Change, Operation, Reason};
use resource::{Attempt, Recorded};
use tokio_util::task::TaskTracker;

use crate::handler::{Applied, Output};
use crate::journal::{Record, StateEffect};
use crate::retries::with_retries;
use crate::runner::Ports;
use crate::texts;
use crate::vault::Secrets;
use crate::{ActionContext, ActionError, ErrorClass, Event, Lease, Randomness, StoreError};

/// How often an action that takes its time asks whether the lease still holds.
const LEASE_CHECK: Duration = Duration::from_secs(1);

/// One action of a run.
pub(crate) struct Action {
    pub(crate) change: Change,
    /// What will be recorded, before its outputs are known; nothing where no resource is left.
    pub(crate) to_record: Option<Recorded>,
    pub(crate) attempt: Attempt,
    pub(crate) terms: Terms,
    pub(crate) ports: Ports,
}

/// What is the same for all actions of a run.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) cluster: String,
    /// How long one action may take.
    pub(crate) limit: Duration,
    pub(crate) unfinished: TaskTracker,
}

/// A new attempt at a change that will be recorded so. It has the token of an earlier one that asked for the same thing and was cut
/// off: that may have made it.
pub(crate) fn attempt(
    change: &Change,
    to_record: Option<&Recorded>,
    recorded: Option<&Recorded>,
    ports: &Ports,
) -> Attempt {
    // What a replace or a new parent makes anew has nothing to do with what was made before.
    let goes_on = change.operation == Operation::Create && change.reason == Reason::Interrupted && !change.replaces;
    let is_same = |asked: &Recorded, known: &Recorded| asked.inputs == known.inputs && asked.texts == known.texts;
    let asks_for_the_same = |known: &&Recorded| goes_on && to_record.is_some_and(|asked| is_same(asked, known));
    let earlier = recorded.filter(asks_for_the_same).and_then(|known| known.attempt.clone());
    let token = earlier.map_or_else(|| new_token(ports.randomness.as_ref()), |attempt| attempt.token);
    Attempt { token, at: ports.clock.now() }
}

/// 32 hexadecimal digits: short enough for every API that takes such tokens.
fn new_token(randomness: &dyn Randomness) -> String {
    let mut bytes = [0; 16];
    randomness.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Milliseconds since `began`.
pub(crate) fn elapsed(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Action {
    /// Carries it out; gives how long that took, in milliseconds.
    pub(crate) async fn carry_out(self) -> (ActionId, Result<u64, ActionError>) {
        let began = Instant::now();
        let (id, ports) = (self.change.id.clone(), &self.ports);
        ports.events.emit(Event::ActionStarted { action: id.clone() });
        // One that panics fails as any other does, with a record of it.
        let carried_out = AssertUnwindSafe(self.between_records(began)).catch_unwind().await;
        let result = carried_out.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        if let Err(error) = &result {
            let (action, resource) = (id.clone(), self.change.resource.clone());
            let record = Record::ActionFailed { action, resource, why: error.message.clone() };
            // The failure itself is what the user must hear of; the unfinished start record already marks the doubt.
            let _ = ports.journal.append(&record).await;
        }
        (id, result.map(|()| elapsed(began)))
    }

    async fn between_records(&self, began: Instant) -> Result<(), ActionError> {
        let (change, ports) = (&self.change, &self.ports);
        let (action, resource) = (change.id.clone(), change.resource.clone());
        let provisional = self.provisional().map(Box::new);
        let started = Record::ActionStarted { action: action.clone(), resource: resource.clone(), provisional };
        ports.journal.append(&started).await.map_err(stored)?;
        let applied = self.apply().await?;
        let effect = match (change.operation, &self.to_record) {
            (Operation::Delete | Operation::Forget, _) => {
                ports.outputs.remove(&change.resource);
                StateEffect::Remove
            }
            (Operation::Run, _) | (_, None) => StateEffect::None,
            (_, Some(recorded)) => StateEffect::Put(Box::new(self.with_outputs(recorded.clone(), applied).await?)),
        };
        let succeeded = Record::ActionSucceeded { action, resource, effect, millis: elapsed(began) };
        ports.journal.append(&succeeded).await.map_err(stored)
    }

    /// What is to be remembered if nothing more is heard of it.
    fn provisional(&self) -> Option<Recorded> {
        if matches!(self.change.operation, Operation::Run | Operation::Forget | Operation::Delete) {
            return None;
        }
        let attempt = Some(self.attempt.clone());
        self.to_record.clone().map(|recorded| Recorded { attempt, ..recorded })
    }

    async fn apply(&self) -> Result<Applied, ActionError> {
        let (change, ports, terms) = (&self.change, &self.ports, self.terms.clone());
        if change.operation == Operation::Forget {
            return Ok(Applied::default());
        }
        let Some(handler) = ports.handlers.of(change.resource.kind()) else {
            return Err(ActionError::permanent(format!("nothing here handles {}", change.resource)));
        };
        let change = texts::filled(change, ports.outputs.as_ref())
            .map_err(|error| ActionError::from_source("something it needs is missing", &error))?;
        let change = change.as_ref();
        let context = ActionContext {
            action: change.id.clone(),
            cluster: terms.cluster,
            epoch: ports.lease.epoch(),
            token: self.attempt.token.clone(),
            outputs: ports.outputs.clone(),
            randomness: ports.randomness.clone(),
            events: ports.events.clone(),
            cancel: ports.abort.child_token(),
            unfinished: terms.unfinished,
        };
        tokio::select! {
            biased;
            ended = with_retries(handler.as_ref(), change, &context, terms.limit) => ended,
            lost = lost(ports.lease.as_ref()) => {
                context.cancel.cancel();
                Err(lost)
            }
        }
    }

    /// Makes outputs durable (secrets in the vault) and known to what depends on them.
    async fn with_outputs(&self, mut recorded: Recorded, applied: Applied) -> Result<Recorded, ActionError> {
        let (id, ports) = (&self.change.resource, &self.ports);
        let mut secrets = Secrets::new();
        for (name, output) in &applied.outputs {
            match output {
                Output::Public(value) => {
                    recorded.outputs.insert(name.clone(), value.clone());
                }
                Output::Secret(secret) => {
                    secrets.insert(name.clone(), secret.clone());
                }
            }
        }
        if !secrets.is_empty() {
            recorded.secrets = ports.vault.put(&*ports.lease, id, &secrets).await.map_err(stored)?;
        }
        ports.outputs.set(id, applied.outputs);
        Ok(recorded)
    }
}

fn panicked(panic: &(dyn Any + Send)) -> ActionError {
    let text = panic.downcast_ref::<&str>().copied();
    let said = text.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why");
    let message =
        format!("this is a fault of kubewright ({said}); what it has done is not known, the next run looks at it");
    ActionError { class: ErrorClass::Fault, ..ActionError::permanent(message) }
        .hint("the same command goes on from here; please report the fault with what is printed above")
}

/// Ends when the lease is lost: a laptop that slept wakes in the middle of a wait or a retry, and somebody else is at work.
async fn lost(lease: &dyn Lease) -> ActionError {
    loop {
        tokio::time::sleep(LEASE_CHECK).await;
        if let Err(error) = lease.check() {
            return ActionError::permanent(format!("given up: {error}"));
        }
    }
}

fn stored(error: StoreError) -> ActionError {
    ActionError::from_source("the state store failed", &error)
        .hint("nothing that was done is lost: fix the store and run the same command again")
}
