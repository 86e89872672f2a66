//! What stands in the way of making machines.

use serde::{Deserialize, Serialize};

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about, such as `program nft`.
    pub object: String,
    /// Why it stands in the way, as a fragment.
    pub why: String,
    /// The exact command that helps, where there is one.
    pub command: Option<String>,
    /// Whether [`crate::Setup`] helps.
    #[serde(skip)]
    pub can_be_installed: bool,
}

impl Finding {
    /// Something that the user must see to.
    pub fn new(object: impl Into<String>, why: impl Into<String>, command: Option<String>) -> Self {
        Self { object: object.into(), why: why.into(), command, can_be_installed: false }
    }
}
