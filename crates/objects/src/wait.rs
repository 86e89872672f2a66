//! Waiting inside an action: patient up to a point, quiet unless something new is to be said, and gone on Ctrl-C.

use std::time::Duration;

use engine::{ActionContext, ActionError};
use tokio::time::Instant;

/// One wait of an action.
pub(crate) struct Wait<'a> {
    context: &'a ActionContext,
    until: Instant,
    every: Duration,
    said: String,
}

impl<'a> Wait<'a> {
    /// Waits at most `timeout`, looking again after each `every`.
    pub(crate) fn new(context: &'a ActionContext, timeout: Duration, every: Duration) -> Self {
        Self { context, until: Instant::now() + timeout, every, said: String::new() }
    }

    /// Reports what is being waited for, once per text.
    pub(crate) fn say(&mut self, note: String) {
        if self.said != note {
            self.context.progress(note.clone());
            self.said = note;
        }
    }

    /// What was said last.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Sleeps until it is worth looking again; `false` when the time is over.
    pub(crate) async fn pause(&self) -> Result<bool, ActionError> {
        if Instant::now() >= self.until {
            return Ok(false);
        }
        tokio::select! {
            () = self.context.cancel.cancelled() => Err(ActionError::permanent("interrupted").hint("Run the command again: it goes on where it stopped.")),
            () = tokio::time::sleep(self.every) => Ok(true),
        }
    }
}
