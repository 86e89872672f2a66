//! Certificate authorities and certificates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;

/// Certificate authorities and certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pki {
    /// Where the authorities' keys are.
    #[serde(default)]
    pub ca_keys: CaKeys,
    /// Days that a new authority is valid.
    #[serde(default = "defaults::ca_validity_days")]
    #[schemars(range(min = 30, max = 36500))]
    pub ca_validity_days: u32,
    /// Days that a new certificate is valid.
    #[serde(default = "defaults::certificate_validity_days")]
    #[schemars(range(min = 2, max = 3650))]
    pub certificate_validity_days: u32,
    /// Days before its end from which an update renews a certificate.
    #[serde(default = "defaults::renew_before_days")]
    #[schemars(range(min = 1, max = 1825))]
    pub renew_before_days: u32,
}

impl Default for Pki {
    fn default() -> Self {
        Self {
            ca_keys: CaKeys::default(),
            ca_validity_days: defaults::ca_validity_days(),
            certificate_validity_days: defaults::certificate_validity_days(),
            renew_before_days: defaults::renew_before_days(),
        }
    }
}

/// Where the authorities' keys are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CaKeys {
    /// On every control plane, as kubeadm has it: `kubeadm certs renew` and joining control planes by kubeadm work.
    #[default]
    Kubeadm,
    /// Only the cluster's signer has the key that it needs; gives up `kubeadm certs renew` and control planes joined by
    /// kubeadm.
    SignerOnly,
}
