//! kubelet's settings, in layers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::format::{Duration, FeatureGate, Keyed, Quantity};

/// kubelet's settings: those of the cluster, with those of the instance group laid over them, field by field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubelet {
    /// Fields of `KubeletConfiguration` (`kubelet.config.k8s.io/v1beta1`), merged deeply.
    /// Fields that kubewright sets itself are refused.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Feature gates of kubelet, laid over the cluster's.
    #[serde(default)]
    #[schemars(with = "Keyed<FeatureGate, bool>")]
    pub feature_gates: BTreeMap<String, bool>,
    /// Resources kept free for kubelet and containerd. Where neither reserve names processors or memory, `100m` and
    /// `200Mi`, and of a small machine at most a tenth.
    #[serde(default)]
    pub kube_reserved: Reserved,
    /// Resources kept free for the operating system. Where neither reserve names processors or memory, `100m` and
    /// `100Mi`, and of a small machine at most a tenth.
    #[serde(default)]
    pub system_reserved: Reserved,
    /// How long a shutdown of the machine waits for pods. Left out, it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Duration")]
    pub shutdown_grace_period: Option<String>,
    /// The part of `shutdownGracePeriod` that is kept for critical pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Duration")]
    pub shutdown_grace_period_critical_pods: Option<String>,
}

/// Resources that pods can't use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reserved {
    /// Processors, such as `100m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub cpu: Option<String>,
    /// Memory, such as `256Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub memory: Option<String>,
    /// Disk of kubelet's root, such as `1Gi`.
    #[serde(rename = "ephemeral-storage", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub ephemeral_storage: Option<String>,
    /// Process ids, such as `"1000"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub pid: Option<String>,
}
