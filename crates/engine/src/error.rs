//! Errors of actions, classed so that the runner retries only what can get better.

use std::time::Duration;

use thiserror::Error;

/// What a failed action's error means for the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Trying again cannot help.
    Permanent,
    /// The other side asks to be asked less often.
    Throttled,
    /// The other side cannot be reached or is overloaded.
    Unavailable,
    /// A result that must appear has not appeared yet.
    NotYetVisible {
        /// How long it may take, counted from the first attempt.
        within: Duration,
    },
    /// It did not end within its time: what it has done is not known, and the next run looks.
    TimedOut,
    /// A fault of this program: it panicked, and what it has done is not known.
    Fault,
    /// What was observed when the plan was made is no longer so.
    Stale,
}

/// Why an action failed.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct ActionError {
    /// What the error means for the runner.
    pub class: ErrorClass,
    /// What failed, on which object, as a lower-case fragment.
    pub message: String,
    /// What to do about it, a sentence or a command.
    pub hint: Option<String>,
    /// The last lines of output, where a program failed.
    pub output: Vec<String>,
}

impl ActionError {
    /// An error that trying again cannot help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Permanent, message: message.into(), hint: None, output: Vec::new() }
    }

    /// An error of something out of reach.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Unavailable, ..Self::permanent(message) }
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A permanent error from any error, with its chain of sources in the message.
    pub fn from_source(what: &str, error: &dyn std::error::Error) -> Self {
        let mut message = format!("{what}: {error}");
        let mut source = error.source();
        while let Some(inner) = source {
            message.push_str(": ");
            message.push_str(&inner.to_string());
            source = inner.source();
        }
        Self::permanent(message)
    }
}
