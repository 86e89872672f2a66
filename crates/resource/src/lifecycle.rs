//! How a resource's existence is managed.

use serde::{Deserialize, Serialize};

/// How kubewright relates to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lifecycle {
    /// Created, changed and deleted by kubewright.
    #[default]
    Managed,
    /// Was there before and was taken over explicitly; changed and deleted like `Managed`.
    Adopted,
    /// Checked to exist; never changed or deleted.
    Shared,
    /// Neither checked nor changed.
    Ignored,
    /// Made inside `apply` from the injected clock and randomness (keys, certificates); stored encrypted.
    Generated,
}

impl Lifecycle {
    /// Whether kubewright may create, change and delete such a resource.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Managed | Self::Adopted | Self::Generated)
    }
}
