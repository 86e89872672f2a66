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
    last: Arc<Mutex<Option<Said>>>,
}

/// Something said of a task.
#[derive(Clone)]
struct Said {
    note: String,
    /// How far it was, in steps and of how many; the time spent where nothing is counted.
    counted: Option<(u64, Option<u64>)>,
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
        self.say(Said { note: note.into(), counted: None });
    }

    /// Says how far it is in bytes or steps, and what is going on.
    pub fn progress(&self, done: u64, total: Option<u64>, note: impl Into<String>) {
        self.say(Said { note: note.into(), counted: Some((done, total)) });
    }

    /// Says the last thing again; progress by time goes on.
    pub fn tick(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(said) = last {
            self.say(said);
        }
    }

    fn say(&self, said: Said) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(said.clone());
        let (done, total) = said.counted.unwrap_or_else(|| {
            // A task that takes longer than usual stays just short of its end.
            let spent = self.started.elapsed().as_secs();
            (self.estimate.map_or(spent, |estimate| spent.min(estimate.saturating_sub(1))), self.estimate)
        });
        self.events.emit(Event::TaskProgress { task: self.name.clone(), done, total, note: said.note });
    }

    /// Says that it is done, with how, such as `built`, and how long it took.
    pub fn finish(&self, how: &str) {
        let note = format!("{how} in {} s", self.started.elapsed().as_secs());
        self.events.emit(Event::TaskFinished { task: self.name.clone(), note });
    }
}
