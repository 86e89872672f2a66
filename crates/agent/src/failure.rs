//! Why the agent could not do what it was asked to: what the last reply will say.

use std::fmt::Display;

use machine::{ConfigError, Reply};

/// The outcome of everything that can fail.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// A failure with what an operator needs to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) item: String,
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
    pub(crate) output: Vec<String>,
}

impl Failure {
    pub(crate) fn new(item: impl Display, why: impl Display) -> Self {
        Self { item: item.to_string(), why: why.to_string(), hint: None, output: Vec::new() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn output(mut self, output: Vec<String>) -> Self {
        self.output = output;
        self
    }

    pub(crate) fn into_reply(self) -> Reply {
        Reply::Failed { item: self.item, why: self.why, hint: self.hint, output: self.output }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new("config", error)
    }
}

/// Names the item of an error on its way up.
pub(crate) trait Of<T> {
    /// The same outcome, as one of `item`.
    fn of(self, item: impl Display) -> Outcome<T>;
}

impl<T, E: Display> Of<T> for Result<T, E> {
    fn of(self, item: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure::new(item, error))
    }
}
