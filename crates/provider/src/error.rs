//! Why a provider refuses, or could not look.

use engine::{ActionError, StoreError};
use thiserror::Error;

/// What an error means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The documents ask for what cannot be.
    InvalidSpec,
    /// It would endanger something, or touch what is somebody else's.
    Refused,
    /// It could not be found out.
    Failed,
    /// It cannot happen, and did.
    Bug,
}

/// Why a provider refuses, or could not look.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub struct ProviderError {
    /// What it means.
    pub kind: ErrorKind,
    /// What is wrong, on which object, and why.
    pub message: String,
    /// What to do about it: sentences or commands.
    pub hints: Vec<String>,
    /// The last lines of output, where a program failed.
    pub output: Vec<String>,
}

impl ProviderError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new(), output: Vec::new() }
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Why nothing could be found out for a cluster that is about to be made.
#[derive(Debug, Error)]
pub enum DiscoverError {
    /// The provider refuses, or could not look.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store's other clusters could not be looked at.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ActionError> for ProviderError {
    fn from(error: ActionError) -> Self {
        let hints = error.hint.into_iter().collect();
        Self { kind: ErrorKind::Failed, message: error.message, hints, output: error.output }
    }
}
