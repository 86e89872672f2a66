//! Events as traces.

use engine::Event;
use tracing::{debug, error, info, warn};

/// Traces an event, with its parts as fields.
pub(super) fn record(event: &Event) {
    match event {
        Event::PhaseStarted { phase } => debug!(phase, "phase started"),
        Event::PhaseFinished { phase, millis, succeeded } => info!(phase, millis, succeeded, "phase finished"),
        Event::TaskProgress { task, done, total, note } => debug!(task, done, total, note, "task moved on"),
        Event::TaskFinished { task, note } => info!(task, note, "task finished"),
        Event::RunStarted { run, actions } => info!(run, actions, "run started"),
        Event::ActionStarted { action } => info!(%action, "action started"),
        Event::ActionProgress { action, note } => debug!(%action, note, "action moved on"),
        Event::ActionRetried { action, attempt, why } => warn!(%action, attempt, why, "action is tried again"),
        Event::ActionSucceeded { action, millis } => info!(%action, millis, "action succeeded"),
        Event::ActionFailed { action, why, hint, output } => {
            let output = output.join("\n");
            error!(%action, why, hint, output, "action failed");
        }
        Event::ActionSkipped { action, because } => warn!(%action, %because, "action skipped"),
        Event::Draining => warn!("asked to stop: no new actions start"),
        Event::RunFinished { succeeded, failed, skipped, millis } => {
            info!(succeeded, failed, skipped, millis, "run finished");
        }
        Event::Note { text } => info!(text, "note"),
    }
}
