//! The API server's audit log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::defaults;

/// The API server's audit log, in `/var/log/kubernetes/audit` of every control-plane machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Audit {
    /// What is logged.
    #[serde(default)]
    pub policy: AuditPolicy,
    /// With `policy: custom`, the rules of an `audit.k8s.io/v1` Policy; the first that matches a request decides.
    #[serde(default)]
    pub rules: Vec<Map<String, Value>>,
    /// How long logs are kept.
    #[serde(default)]
    pub log: AuditLog,
}

/// What is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuditPolicy {
    /// Nothing.
    #[default]
    None,
    /// Who did what, of every request; no bodies.
    Metadata,
    /// Bodies of changes, without Secrets and ConfigMaps; the noise of the control plane left out.
    Recommended,
    /// The `rules` given here.
    Custom,
}

/// How long logs are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditLog {
    /// Days.
    #[serde(default = "defaults::audit_max_age")]
    #[schemars(range(min = 1))]
    pub max_age: u32,
    /// Rotated files.
    #[serde(default = "defaults::audit_max_backups")]
    #[schemars(range(min = 1))]
    pub max_backups: u32,
    /// Megabytes of one file.
    #[serde(default = "defaults::audit_max_size")]
    #[schemars(range(min = 1))]
    pub max_size: u32,
}

impl Default for AuditLog {
    fn default() -> Self {
        Self {
            max_age: defaults::audit_max_age(),
            max_backups: defaults::audit_max_backups(),
            max_size: defaults::audit_max_size(),
        }
    }
}
