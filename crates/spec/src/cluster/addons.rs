//! Optional parts that run in the cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;
use crate::format::HookName;

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
    /// Your own objects: applied with the cluster, and removed with the manifest. Not for secrets: documents are kept as
    /// written.
    #[serde(default)]
    pub manifests: Vec<Manifest>,
}

/// Objects of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Its name, for messages.
    #[schemars(with = "HookName")]
    pub name: String,
    /// The objects as kubectl takes them: YAML or JSON, documents parted by `---`.
    pub content: String,
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
