//! What happens during a run, as data; printing is the business of `report`.

use plan::ActionId;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    /// A phase outside the plan began (preparing assets, observing).
    PhaseStarted {
        /// The phase, as a fragment.
        phase: String,
    },
    /// A phase ended.
    PhaseFinished {
        /// The phase.
        phase: String,
        /// How long it took, milliseconds.
        millis: u64,
        /// Whether it did all that it was to do.
        succeeded: bool,
    },
    /// A download or build inside a phase moved on.
    TaskProgress {
        /// What is being made or fetched.
        task: String,
        /// Done so far, in bytes or steps.
        done: u64,
        /// All of it, when known.
        total: Option<u64>,
        /// What is going on, as a fragment.
        note: String,
    },
    /// A task of a phase ended.
    TaskFinished {
        /// What was made or fetched.
        task: String,
        /// How it ended, as a fragment, such as `built in 47 s` or `cached`.
        note: String,
    },
    /// A run began.
    RunStarted {
        /// The run's id.
        run: String,
        /// How many actions it has.
        actions: usize,
    },
    /// An action began.
    ActionStarted {
        /// Which.
        action: ActionId,
    },
    /// A running action said what it does.
    ActionProgress {
        /// Which.
        action: ActionId,
        /// What it does, as a fragment.
        note: String,
    },
    /// An action failed in a way that may get better, and is tried again.
    ActionRetried {
        /// Which.
        action: ActionId,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Why.
        why: String,
    },
    /// An action succeeded.
    ActionSucceeded {
        /// Which.
        action: ActionId,
        /// How long it took, milliseconds.
        millis: u64,
    },
    /// An action failed for good.
    ActionFailed {
        /// Which.
        action: ActionId,
        /// Why.
        why: String,
        /// What to do about it.
        hint: Option<String>,
        /// The last lines of output.
        output: Vec<String>,
    },
    /// An action is not run because another failed.
    ActionSkipped {
        /// Which.
        action: ActionId,
        /// The failed one.
        because: ActionId,
    },
    /// The run was asked to stop; running actions are finished, no new ones start.
    Draining,
    /// The run ended.
    RunFinished {
        /// Actions that succeeded.
        succeeded: usize,
        /// Actions that failed.
        failed: usize,
        /// Actions that were not run.
        skipped: usize,
        /// How long the run took, milliseconds.
        millis: u64,
    },
    /// Something the user should know.
    Note {
        /// A sentence.
        text: String,
    },
}

/// Where events go. Implementations must not block for long.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}
