//! Carries a plan out: a ready queue around the sans-io schedule, with journal, retries and two ways to stop.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use plan::{ActionId, Change, Operation, Plan};
use resource::{Attempt, Desired, Digest, Recorded, ResourceId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::attempt::{ACTION_LIMIT, with_retries};
use crate::handler::{Applied, Output, Outputs};
use crate::journal::{self, Journal, Record, StateEffect};
use crate::schedule::{Limits, Outcome, Schedule};
use crate::vault::{SecretVault, Secrets};
use crate::{
    ActionContext, ActionError, Clock, ErrorClass, Event, EventSink, Handlers, KnownOutputs, Lease, Randomness,
    StoreError,
};

/// How often an action that takes its time asks whether the lease still holds.
const LEASE_CHECK: Duration = Duration::from_secs(1);

/// Everything a run works with.
#[derive(Clone)]
pub struct Ports {
    /// Who does the work.
    pub handlers: Handlers,
    /// What is known of resources; grows during the run.
    pub outputs: Arc<KnownOutputs>,
    /// Where secret outputs go.
    pub vault: Arc<dyn SecretVault>,
    /// The durable log.
    pub journal: Journal,
    /// The right to change the cluster.
    pub lease: Arc<dyn Lease>,
    /// Who asked for the run, `user@host`.
    pub who: String,
    /// What was typed to ask for it.
    pub command: String,
    /// The source of keys and tokens.
    pub randomness: Arc<dyn Randomness>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// Cancelled by the first Ctrl-C: running actions finish, no new ones start.
    pub drain: CancellationToken,
    /// Cancelled by the second Ctrl-C: running actions are dropped.
    pub abort: CancellationToken,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Actions that took effect.
    pub succeeded: Vec<ActionId>,
    /// Actions that failed, and why.
    pub failed: BTreeMap<ActionId, String>,
    /// Actions that were not run because of a failure, and whose.
    pub skipped: BTreeMap<ActionId, ActionId>,
    /// How many actions were never started because the run was stopped.
    pub not_started: usize,
    /// How many actions were cut off while they ran; the next run finds out what they did.
    pub aborted: usize,
    /// Whether a failed action could not reach its machine.
    pub unreachable: bool,
    /// Whether an action failed because of a fault of this program.
    pub faulty: bool,
}

impl Summary {
    /// Whether everything in the plan was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && self.not_started == 0 && self.aborted == 0
    }
}

/// Makes the id of a new run: sorts by time.
pub fn new_run_id(clock: &dyn Clock) -> String {
    let suffix = Uuid::new_v4().simple().to_string();
    format!("{}-{}", clock.now().strftime("%Y%m%dT%H%M%SZ"), suffix.get(..6).unwrap_or_default())
}

/// Carries out `plan`. `desired` is what the plan's creates and updates lead to, `recorded` what was known before; `limits` caps
/// how much runs at once.
///
/// When the lease is lost, nothing more is started, and that is the error once what was running has ended.
pub async fn run(
    plan: &Plan,
    desired: &BTreeMap<ResourceId, Desired>,
    recorded: &BTreeMap<ResourceId, Recorded>,
    run: &str,
    limits: Limits,
    ports: &Ports,
) -> Result<Summary, StoreError> {
    let began = Instant::now();
    ports.journal.append(&run_started(plan, run, ports)).await?;
    ports.events.emit(Event::RunStarted { run: run.to_owned(), actions: plan.changes.len() });
    let changes = plan.changes.iter().map(|change| (&change.id, change)).collect();
    let terms = Terms {
        cluster: plan.base.cluster.clone(),
        limit: limits.action.unwrap_or(ACTION_LIMIT),
        unfinished: TaskTracker::new(),
    };
    let work = Work { changes, desired, recorded, terms };
    let mut schedule = Schedule::new(&plan.changes, &limits);
    let mut running = JoinSet::new();
    let mut summary = Summary::default();
    let mut draining = false;
    let mut lease = Ok(());
    loop {
        if lease.is_ok() {
            lease = start_ready(&work, &mut schedule, &mut running, ports);
        }
        tokio::select! {
            // What has ended is taken in before anything is cut off.
            biased;
            ended = running.join_next() => match ended {
                None => break,
                Some(Ok((id, result))) => take_result(&id, result, &mut schedule, &mut summary, ports),
                Some(Err(error)) => return Err(lost_action(error)),
            },
            () = ports.drain.cancelled(), if !draining => {
                draining = true;
                ports.events.emit(Event::Draining);
            }
            () = ports.abort.cancelled() => {
                running.shutdown().await;
                break;
            }
        }
    }
    // Nobody else may begin while something of this run still works.
    work.terms.unfinished.close();
    work.terms.unfinished.wait().await;
    summary.not_started = schedule.not_started();
    summary.aborted = schedule.running();
    if summary.not_started > 0 {
        lease?;
    }
    finish(&summary, began, ports).await?;
    Ok(summary)
}

/// What a run works on.
struct Work<'a> {
    changes: BTreeMap<&'a ActionId, &'a Change>,
    desired: &'a BTreeMap<ResourceId, Desired>,
    recorded: &'a BTreeMap<ResourceId, Recorded>,
    terms: Terms,
}

/// What is the same for all actions of a run.
#[derive(Clone)]
struct Terms {
    cluster: String,
    /// How long one action may take.
    limit: Duration,
    unfinished: TaskTracker,
}

type Running = JoinSet<(ActionId, Result<u64, ActionError>)>;

/// Starts everything that may start now. The lease and the wish to stop are looked at before each action.
fn start_ready(
    work: &Work<'_>,
    schedule: &mut Schedule,
    running: &mut Running,
    ports: &Ports,
) -> Result<(), StoreError> {
    while !ports.drain.is_cancelled() && !ports.abort.is_cancelled() {
        ports.lease.check()?;
        let Some(change) = schedule.start_next().and_then(|id| work.changes.get(&id).copied()) else { break };
        let attempt = attempt_of(change, work.recorded.get(&change.resource), ports);
        let recorded = work.desired.get(&change.resource).map(|wanted| to_record(wanted, ports));
        running.spawn(carry_out(change.clone(), recorded, attempt, work.terms.clone(), ports.clone()));
    }
    Ok(())
}

fn run_started(plan: &Plan, run: &str, ports: &Ports) -> Record {
    let digest = serde_json::to_value(plan).map_or_else(|_| Digest::of_bytes(b""), |value| Digest::of_json(&value));
    Record::RunStarted {
        format: journal::FORMAT,
        run: run.to_owned(),
        plan: digest,
        epoch: ports.lease.epoch(),
        who: ports.who.clone(),
        command: ports.command.clone(),
        revision: Some(plan.base.revision.clone()),
        kubewright: plan.base.kubewright.clone(),
        time: ports.clock.now().to_string(),
    }
}

fn lost_action(error: tokio::task::JoinError) -> StoreError {
    StoreError::Unusable { what: "finish an action".to_owned(), source: std::io::Error::other(error) }
}

fn take_result(
    id: &ActionId,
    result: Result<u64, ActionError>,
    schedule: &mut Schedule,
    summary: &mut Summary,
    ports: &Ports,
) {
    match result {
        Ok(millis) => {
            schedule.finish(id, Outcome::Succeeded);
            summary.succeeded.push(id.clone());
            ports.events.emit(Event::ActionSucceeded { action: id.clone(), millis });
        }
        Err(error) => {
            summary.unreachable |= error.class == ErrorClass::Unavailable;
            summary.faulty |= error.class == ErrorClass::Fault;
            summary.failed.insert(id.clone(), error.message.clone());
            ports.events.emit(Event::ActionFailed {
                action: id.clone(),
                why: error.message,
                hint: error.hint,
                output: error.output,
            });
            for skipped in schedule.finish(id, Outcome::Failed) {
                summary.skipped.insert(skipped.clone(), id.clone());
                ports.events.emit(Event::ActionSkipped { action: skipped, because: id.clone() });
            }
        }
    }
}

async fn finish(summary: &Summary, began: Instant, ports: &Ports) -> Result<(), StoreError> {
    let (succeeded, failed) = (summary.succeeded.len(), summary.failed.len());
    let skipped = summary.skipped.len() + summary.not_started + summary.aborted;
    let time = ports.clock.now().to_string();
    ports.journal.append(&Record::RunFinished { succeeded, failed, skipped, time }).await?;
    ports.events.emit(Event::RunFinished { succeeded, failed, skipped, millis: elapsed(began) });
    Ok(())
}

fn elapsed(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What will be recorded of a resource, before its outputs are known.
fn to_record(desired: &Desired, ports: &Ports) -> Recorded {
    desired.to_recorded(ports.handlers.schemas().get(desired.id.kind()).map_or(0, |schema| schema.version))
}

/// A new attempt. It has the token of an earlier one that asked for the same thing and was cut off: that may have made it.
fn attempt_of(change: &Change, recorded: Option<&Recorded>, ports: &Ports) -> Attempt {
    let asks_for_the_same = |known: &&Recorded| {
        change.operation == Operation::Create && known.tainted && change.after.as_ref() == Some(&known.inputs)
    };
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

/// Carries out one change between its two journal records.
async fn carry_out(
    change: Change,
    recorded: Option<Recorded>,
    attempt: Attempt,
    terms: Terms,
    ports: Ports,
) -> (ActionId, Result<u64, ActionError>) {
    let began = Instant::now();
    let id = change.id.clone();
    ports.events.emit(Event::ActionStarted { action: id.clone() });
    // One that panics fails as any other does, with a record of it.
    let carried_out =
        AssertUnwindSafe(carry_out_inner(&change, recorded, attempt, terms, &ports, began)).catch_unwind();
    let result = carried_out.await.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
    if let Err(error) = &result {
        let record =
            Record::ActionFailed { action: id.clone(), resource: change.resource.clone(), why: error.message.clone() };
        // The failure itself is what the user must hear of; the unfinished start record already marks the doubt.
        let _ = ports.journal.append(&record).await;
    }
    (id, result.map(|()| elapsed(began)))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> ActionError {
    let text = panic.downcast_ref::<&str>().copied();
    let said = text.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why");
    let message =
        format!("this is a fault of kubewright ({said}); what it has done is not known, the next run looks at it");
    ActionError { class: ErrorClass::Fault, ..ActionError::permanent(message) }
        .hint("the same command goes on from here; please report the fault with what is printed above")
}

async fn carry_out_inner(
    change: &Change,
    recorded: Option<Recorded>,
    attempt: Attempt,
    terms: Terms,
    ports: &Ports,
    began: Instant,
) -> Result<(), ActionError> {
    let provisional = match change.operation {
        Operation::Run | Operation::Forget | Operation::Delete => None,
        _ => recorded.clone().map(|recorded| Box::new(Recorded { attempt: Some(attempt.clone()), ..recorded })),
    };
    let started = Record::ActionStarted { action: change.id.clone(), resource: change.resource.clone(), provisional };
    ports.journal.append(&started).await.map_err(stored)?;
    let applied = apply(change, attempt, terms, ports).await?;
    let effect = match (change.operation, recorded) {
        (Operation::Delete | Operation::Forget, _) => {
            ports.outputs.remove(&change.resource);
            StateEffect::Remove
        }
        (Operation::Run, _) | (_, None) => StateEffect::None,
        (_, Some(recorded)) => StateEffect::Put(Box::new(keep_outputs(change, recorded, applied, ports).await?)),
    };
    let succeeded = Record::ActionSucceeded {
        action: change.id.clone(),
        resource: change.resource.clone(),
        effect,
        millis: elapsed(began),
    };
    ports.journal.append(&succeeded).await.map_err(stored)
}

async fn apply(change: &Change, attempt: Attempt, terms: Terms, ports: &Ports) -> Result<Applied, ActionError> {
    if change.operation == Operation::Forget {
        return Ok(Applied::default());
    }
    let Some(handler) = ports.handlers.of(change.resource.kind()) else {
        return Err(ActionError::permanent(format!("nothing here handles {}", change.resource)));
    };
    let context = ActionContext {
        action: change.id.clone(),
        cluster: terms.cluster,
        epoch: ports.lease.epoch(),
        token: attempt.token,
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

/// Ends when the lease is lost: a laptop that slept wakes in the middle of a wait or a retry, and somebody else is at work.
async fn lost(lease: &dyn Lease) -> ActionError {
    loop {
        tokio::time::sleep(LEASE_CHECK).await;
        if let Err(error) = lease.check() {
            return ActionError::permanent(format!("given up: {error}"));
        }
    }
}

/// Makes outputs durable (secrets in the vault) and known to what depends on them.
async fn keep_outputs(
    change: &Change,
    mut recorded: Recorded,
    applied: Applied,
    ports: &Ports,
) -> Result<Recorded, ActionError> {
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
        recorded.secrets = ports.vault.put(&*ports.lease, &change.resource, &secrets).await.map_err(stored)?;
    }
    let outputs: Outputs = applied.outputs;
    ports.outputs.set(&change.resource, outputs);
    Ok(recorded)
}

fn stored(error: StoreError) -> ActionError {
    ActionError::from_source("the state store failed", &error)
        .hint("nothing that was done is lost: fix the store and run the same command again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_complete_only_when_everything_was_done() {
        assert!(Summary::default().is_complete());
        assert!(!Summary { aborted: 1, ..Summary::default() }.is_complete());
        assert!(!Summary { not_started: 1, ..Summary::default() }.is_complete());
    }
}
