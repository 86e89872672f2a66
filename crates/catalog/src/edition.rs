//! What a new release does otherwise than the one before, for clusters that were made with it or whose owner asks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way of making a cluster. Within one edition, a newer kubewright changes nothing that a running cluster would feel: no pod of
/// its own, no kubelet's settings, no capacity. What guards data, or mends what was wrong, comes to every edition.
///
/// A new one is made when a release would change such a thing; code asks with `edition >= Edition::V2`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Edition {
    /// As the first release made clusters. What was stored before there were editions is of this one.
    #[default]
    V1,
    /// kubelet keeps processors and memory free for itself and the system, confines pods with the runtime's seccomp profile,
    /// and its journal is on disk; the cluster's own pods have requests, disruption budgets and last words.
    V2,
}

impl Edition {
    /// The one that new clusters are made with.
    pub const NEWEST: Self = Self::V2;

    /// As it is written in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}
