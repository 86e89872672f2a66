//! The document `InstanceGroup`: machines that are alike.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Kubelet;
use crate::defaults;
use crate::format::{ClusterName, GroupName, Keyed, LabelKey, LabelValue, Quantity, Sysctl, SysctlValue};
use crate::machine_files::{Hook, MachineFile};
use crate::rolling_update::RollingUpdate;

/// What the default of `taints` follows from.
const TAINTS_RULE: &str = "`node-role.kubernetes.io/control-plane:NoSchedule` for control planes of a cluster that has \
                           workers, else none";

/// A group of machines that are alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceGroup {
    /// Always `kubewright.io/v1alpha1`.
    #[schemars(extend("const" = crate::API_VERSION))]
    pub api_version: String,
    /// Always `InstanceGroup`.
    #[schemars(extend("const" = "InstanceGroup"))]
    pub kind: String,
    /// Names the group.
    pub metadata: InstanceGroupMetadata,
    /// What its machines must be.
    pub spec: InstanceGroupSpec,
}

/// Names an instance group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceGroupMetadata {
    /// The group's name: lower-case letters, digits and `-`, at most 24 characters. Machines are named after it.
    #[schemars(with = "GroupName")]
    pub name: String,
    /// Name of the cluster that it belongs to.
    #[schemars(with = "ClusterName")]
    pub cluster: String,
}

/// What the machines of a group must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceGroupSpec {
    /// What they do.
    #[schemars(extend("x-immutable" = "Add an instance group of the other role, and set the count of this one to 0"))]
    pub role: Role,
    /// How many machines.
    #[serde(default = "defaults::count")]
    #[schemars(range(max = 5000))]
    pub count: u32,
    /// Labels of their nodes.
    #[serde(default)]
    #[schemars(with = "Keyed<LabelKey, LabelValue>")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of their nodes.
    #[serde(default)]
    #[schemars(with = "Keyed<LabelKey, String>")]
    pub annotations: BTreeMap<String, String>,
    /// Taints of their nodes.
    #[serde(default)]
    #[schemars(extend("x-derived" = TAINTS_RULE))]
    pub taints: Vec<Taint>,
    /// The size of each machine.
    #[serde(default)]
    pub machine: MachineSize,
    /// kubelet's settings, laid over the cluster's.
    #[serde(default)]
    pub kubelet: Kubelet,
    /// Settings of the kernel on these machines, laid over the cluster's.
    #[serde(default)]
    #[schemars(with = "Keyed<Sysctl, SysctlValue>")]
    pub sysctls: BTreeMap<String, String>,
    /// What may be lost when one of its nodes is drained, and how long that may take.
    #[serde(default)]
    pub drain: Drain,
    /// How many of them may be away at once while they are changed.
    #[serde(default)]
    pub rolling_update: RollingUpdate,
    /// Files on these machines; one with the path of a file of the cluster stands for it.
    #[serde(default)]
    pub files: Vec<MachineFile>,
    /// Commands that run on these machines at boot; one with the name of a hook of the cluster stands for it.
    #[serde(default)]
    pub hooks: Vec<Hook>,
}

/// What the machines of a group do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Role {
    /// API server, controller manager, scheduler and an etcd member.
    ControlPlane,
    /// Pods.
    Worker,
}

/// Keeps pods off a node that do not tolerate it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// Its key.
    #[schemars(with = "LabelKey")]
    pub key: String,
    /// Its value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(with = "LabelValue")]
    pub value: String,
    /// What it does.
    pub effect: TaintEffect,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods stay away where they can.
    PreferNoSchedule,
    /// Running pods are evicted too.
    NoExecute,
}

/// The size of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachineSize {
    /// Most memory it may use, such as `2Gi`. Left out, all of the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub memory: Option<String>,
    /// Most processors it may use. Left out, all of the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1, max = 1024))]
    pub cpus: Option<u32>,
}

/// What may be lost when a node is drained because its machine goes, and how long that may take. The defaults are those of
/// `kubectl drain`: nothing is lost, and a plan that would lose something is refused and names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drain {
    /// Pods may lose what they keep in emptyDir volumes, as with `kubectl drain --delete-emptydir-data`. kubewright's own pods
    /// keep nothing there that is missed and need no consent.
    #[serde(default)]
    pub delete_empty_dir_data: bool,
    /// Pods may go that no controller makes again, as with `kubectl drain --force`, and with the machine the persistent volumes
    /// that lie on it alone (`local` and `hostPath`).
    #[serde(default)]
    pub force: bool,
    /// How long it may take until all pods have ended, in seconds.
    #[serde(default = "defaults::drain_timeout")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_seconds: u32,
}

impl Default for Drain {
    fn default() -> Self {
        Self { delete_empty_dir_data: false, force: false, timeout_seconds: defaults::drain_timeout() }
    }
}
