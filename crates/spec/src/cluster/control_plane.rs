//! The control plane's components and how Secrets are kept.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;
use crate::format::{AdmissionPlugin, FeatureGate, Flag, FlagValue, Keyed, PortRange};

/// etcd, one member on every control-plane machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Etcd {
    /// Further flags by name without `--`. Flags that kubewright sets itself are refused.
    #[serde(default)]
    #[schemars(with = "Keyed<Flag, FlagValue>")]
    pub extra_args: BTreeMap<String, String>,
}

/// kube-controller-manager or kube-scheduler.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// Further flags by name without `--`. Flags that kubewright sets itself are refused.
    #[serde(default)]
    #[schemars(with = "Keyed<Flag, FlagValue>")]
    pub extra_args: BTreeMap<String, String>,
    /// Feature gates of this component, laid over the cluster's.
    #[serde(default)]
    #[schemars(with = "Keyed<FeatureGate, bool>")]
    pub feature_gates: BTreeMap<String, bool>,
}

/// kube-apiserver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeApiServer {
    /// Further flags by name without `--`. Flags that kubewright sets itself are refused.
    #[serde(default)]
    #[schemars(with = "Keyed<Flag, FlagValue>")]
    pub extra_args: BTreeMap<String, String>,
    /// Feature gates of this component, laid over the cluster's.
    #[serde(default)]
    #[schemars(with = "Keyed<FeatureGate, bool>")]
    pub feature_gates: BTreeMap<String, bool>,
    /// Ports for Services of type NodePort, first and last.
    #[serde(default = "defaults::service_node_port_range")]
    #[schemars(with = "PortRange")]
    pub service_node_port_range: String,
    /// Admission plugins beside Kubernetes' default ones.
    #[serde(default)]
    pub admission_plugins: AdmissionPlugins,
}

impl Default for KubeApiServer {
    fn default() -> Self {
        Self {
            extra_args: BTreeMap::new(),
            feature_gates: BTreeMap::new(),
            service_node_port_range: defaults::service_node_port_range(),
            admission_plugins: AdmissionPlugins::default(),
        }
    }
}

/// Admission plugins beside Kubernetes' default ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdmissionPlugins {
    /// Plugins to enable. `NodeRestriction` always is.
    #[serde(default)]
    #[schemars(with = "Vec<AdmissionPlugin>")]
    pub enable: Vec<String>,
    /// Default plugins to disable. `NodeRestriction` can't be.
    #[serde(default)]
    #[schemars(with = "Vec<AdmissionPlugin>")]
    pub disable: Vec<String>,
}

/// Encryption of Secrets in etcd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionAtRest {
    /// The cipher. The key is made and kept by kubewright.
    #[serde(default)]
    pub provider: EncryptionProvider,
}

/// The cipher for Secrets in etcd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EncryptionProvider {
    /// XSalsa20 and Poly1305.
    #[default]
    Secretbox,
    /// AES-CBC, for those who must use AES; weaker against padding oracles.
    Aescbc,
    /// Secrets lie in etcd as they are.
    None,
}
