//! What was found when a resource was looked for: present, absent, or unknown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer of a handler that looked for one resource.
///
/// `Absent` means that the place was asked and answered "not there". Whatever could not be asked is `Unknown`:
/// no create, replace, delete or forget rests on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Observation {
    /// It is there.
    Present {
        /// What it is like, in the shape of the desired inputs: a field that agrees is equal JSON.
        attributes: Value,
        /// What else is seen of it, by name. No input asks for it; one that is recorded and differs is drift, and whatever
        /// refers to it hears of it.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outputs: BTreeMap<String, Value>,
    },
    /// It is there and carries our marker, but nobody asked for it: neither is it wanted, nor is it recorded.
    Orphan {
        /// What it could be recorded as.
        attributes: Value,
    },
    /// Somebody else's stands in its place: neither does it carry our marker, nor did we make it.
    Foreign {
        /// What it could be recorded as, once its owner gives it to us.
        attributes: Value,
    },
    /// It was positively found not to be there.
    Absent,
    /// It could not be found out.
    Unknown {
        /// Why, as a lower-case fragment.
        why: String,
    },
}

impl Observation {
    /// A present resource with these attributes.
    pub fn present(attributes: Value) -> Self {
        Self::Present { attributes, outputs: BTreeMap::new() }
    }

    /// The same, of something that is present, with an output.
    #[must_use]
    pub fn with_output(mut self, name: &str, value: Value) -> Self {
        if let Self::Present { outputs, .. } = &mut self {
            outputs.insert(name.to_owned(), value);
        }
        self
    }

    /// What is seen of something that is present beside its attributes.
    pub fn output(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Present { outputs, .. } => outputs.get(name),
            _ => None,
        }
    }

    /// Something of ours that nobody asked for.
    pub fn orphan(attributes: Value) -> Self {
        Self::Orphan { attributes }
    }

    /// Somebody else's in the place of what was asked for.
    pub fn foreign(attributes: Value) -> Self {
        Self::Foreign { attributes }
    }

    /// An observation that could not be made.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }
}
