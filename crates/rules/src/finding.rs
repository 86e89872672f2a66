//! What a rule has to say.

use resource::ResourceId;
use serde::{Deserialize, Serialize};

/// How grave a finding is; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The plan is not carried out.
    Refuse,
    /// The user should know.
    Warn,
}

/// One thing that a rule has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Name of the rule.
    pub rule: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, a lower-case sentence without its full stop.
    pub message: String,
    /// What it is about.
    pub resources: Vec<ResourceId>,
    /// What to do about it, a sentence or a command.
    pub hint: String,
}

impl Finding {
    pub(crate) fn refuse(rule: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            severity: Severity::Refuse,
            message: message.into(),
            resources: Vec::new(),
            hint: hint.into(),
        }
    }

    pub(crate) fn warn(rule: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { severity: Severity::Warn, ..Self::refuse(rule, message, hint) }
    }

    pub(crate) fn about<'a>(mut self, resources: impl IntoIterator<Item = &'a ResourceId>) -> Self {
        self.resources.extend(resources.into_iter().cloned());
        self
    }
}
