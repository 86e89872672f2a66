//! What can be wrong with a machine config.

use thiserror::Error;

/// Why a config can't be carried out. Says where, never what a secret contains.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A value has a form that is not allowed.
    #[error("{place}: {why}")]
    Invalid {
        /// The item or field.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A text asks for a fact that does not exist.
    #[error("{place}: unknown hole {{{{{hole}}}}}")]
    UnknownHole {
        /// The item.
        place: String,
        /// Name of the hole.
        hole: String,
    },
    /// A text asks for a fact that is not known of this machine.
    #[error("{place}: nothing is known to fill {{{{{hole}}}}} with")]
    EmptyHole {
        /// The item.
        place: String,
        /// Name of the hole.
        hole: String,
    },
    /// The group and the machine part both say what is at a path.
    #[error("{path} stands in the group part and in the machine part")]
    Twice {
        /// The path.
        path: String,
    },
    /// Units that wait for each other.
    #[error("these units are started after one another in a circle: {}", units.join(", "))]
    Circle {
        /// The units.
        units: Vec<String>,
    },
}

impl ConfigError {
    pub(crate) fn invalid(place: impl ToString, why: impl Into<String>) -> Self {
        Self::Invalid { place: place.to_string(), why: why.into() }
    }
}
