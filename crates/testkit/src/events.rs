//! An event sink that keeps everything.

use std::sync::{Arc, Mutex, PoisonError};

use engine::{Event, EventSink};
use plan::ActionId;

/// All events so far, in their order.
#[derive(Debug, Clone, Default)]
pub struct CollectedEvents(Arc<Mutex<Vec<Event>>>);

impl CollectedEvents {
    /// What was emitted so far.
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Actions that were started, in their order.
    pub fn started(&self) -> Vec<ActionId> {
        let started = |event| match event {
            Event::ActionStarted { action } => Some(action),
            _ => None,
        };
        self.all().into_iter().filter_map(started).collect()
    }

    /// How often an action was tried again.
    pub fn retries(&self) -> usize {
        self.all().iter().filter(|event| matches!(event, Event::ActionRetried { .. })).count()
    }

    /// Forgets what was emitted so far.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl EventSink for CollectedEvents {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}
