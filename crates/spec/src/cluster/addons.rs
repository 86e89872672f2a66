//! Optional parts that run in the cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;

/// Optional parts that run in the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addons {
    /// metrics-server: `kubectl top` and autoscaling by processor and memory.
    #[serde(default)]
    pub metrics_server: Addon,
    /// local-path-provisioner: a default StorageClass on the machines' own disks. Runs unless switched off.
    #[serde(default)]
    pub local_path: DefaultAddon,
}

/// Whether an addon runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addon {
    /// Runs in the cluster.
    #[serde(default)]
    pub enabled: bool,
}

/// Whether an addon runs that does unless it is switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultAddon {
    /// Runs in the cluster.
    #[serde(default = "defaults::runs")]
    pub enabled: bool,
}

impl Default for DefaultAddon {
    fn default() -> Self {
        Self { enabled: defaults::runs() }
    }
}
