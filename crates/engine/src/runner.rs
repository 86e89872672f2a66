//! Carries a plan out: a ready queue around the sans-io schedule, with journal, retries and two ways to stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use plan::{ActionId, Change, Plan};
use resource::{Desired, Digest, Recorded, ResourceId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::action::{self, Action, Terms, elapsed};
use crate::journal::{self, Journal, Record};
use crate::retries::ACTION_LIMIT;
use crate::schedule::{Limits, Outcome, Schedule};
use crate::texts;
use crate::vault::SecretVault;
use crate::{ActionError, Clock, ErrorClass, Event, EventSink, Handlers, KnownOutputs, Lease, Randomness, StoreError};

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
        let to_record = work.desired.get(&change.resource).map(|wanted| to_record(wanted, ports));
        let recorded = work.recorded.get(&change.resource);
        let action = Action {
            change: as_wanted(change, to_record.as_ref()),
            attempt: action::attempt(change, to_record.as_ref(), recorded, ports),
            to_record,
            terms: work.terms.clone(),
            ports: ports.clone(),
        };
        running.spawn(action.carry_out());
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

/// A change with the texts that it leads to open: they are filled with what outputs are when it begins, and that is recorded.
fn as_wanted(change: &Change, to_record: Option<&Recorded>) -> Change {
    let mut change = change.clone();
    if let (Some(after), Some(to_record)) = (&mut change.after, to_record.filter(|record| !record.texts.is_empty())) {
        after.clone_from(&to_record.inputs);
    }
    change
}

/// What will be recorded of a resource, before its outputs are known.
fn to_record(desired: &Desired, ports: &Ports) -> Recorded {
    let version = ports.handlers.schemas().get(desired.id.kind()).map_or(0, |schema| schema.version);
    Recorded { texts: texts::texts(&desired.inputs, ports.outputs.as_ref()), ..desired.to_recorded(version) }
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
