//! One asset being made or fetched: says how far it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine::{Event, EventSink};

/// One asset being made or fetched.
#[derive(Clone)]
pub struct Task {
    name: String,
    events: Arc<dyn EventSink>,
    started: Instant,
    /// Typical seconds, when known.
    estimate: Option<u64>,
    /// What was said last, for [`Task::tick`].
    last: Arc<Mutex<String>>,
}

impl Task {
    /// A task called `name` that typically takes `estimate` seconds.
    pub fn start(name: impl Into<String>, estimate: Option<u64>, events: Arc<dyn EventSink>) -> Self {
        Self { name: name.into(), events, started: Instant::now(), estimate, last: Arc::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says what is going on, as a fragment; progress is the time spent against the typical time.
    pub fn note(&self, note: impl Into<String>) {
        let note = note.into();
        note.clone_into(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner));
        // A task that takes longer than usual stays just short of its end.
        let spent = self.started.elapsed().as_secs();
        let done = self.estimate.map_or(spent, |estimate| spent.min(estimate.saturating_sub(1)));
        self.progress(done, self.estimate, note);
    }

    /// Says the last note again, with the time that has passed since.
    pub fn tick(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !last.is_empty() {
            self.note(last);
        }
    }

    /// Says how far it is in bytes or steps, and what is going on.
    pub fn progress(&self, done: u64, total: Option<u64>, note: impl Into<String>) {
        self.events.emit(Event::TaskProgress { task: self.name.clone(), done, total, note: note.into() });
    }

    /// Says that it is done, with how, such as `built`, and how long it took.
    pub fn finish(&self, how: &str) {
        let note = format!("{how} in {} s", self.started.elapsed().as_secs());
        self.events.emit(Event::TaskFinished { task: self.name.clone(), note });
    }
}
