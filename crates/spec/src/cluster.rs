//! The document `Cluster`: everything that holds for a whole cluster.

use std::collections::BTreeMap;

use catalog::Edition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::{ClusterName, FeatureGate, Keyed, LabelKey, LabelValue, Sysctl, SysctlValue, Version};
use crate::machine_files::{Hook, MachineFile};
use crate::rolling_update::ClusterRollingUpdate;

mod addons;
mod api;
mod assets;
mod audit;
mod containerd;
mod control_plane;
mod kubelet;
mod local;
mod networking;
mod pki;
mod protection;
mod provider;

pub use addons::{Addon, Addons, DefaultAddon, Manifest};
pub use api::{Api, LoadBalancer};
pub use assets::{Assets, TemplateOverride};
pub use audit::{Audit, AuditLog, AuditPolicy};
pub use containerd::{Containerd, ContainerdProxy, RegistryCredential};
pub use control_plane::{AdmissionPlugins, Component, EncryptionAtRest, EncryptionProvider, Etcd, KubeApiServer};
pub use kubelet::{Kubelet, Reserved};
pub use local::Local;
pub use networking::{Cni, Flannel, FlannelBackend, KubeProxy, Networking, ProxyMode};
pub use pki::{CaKeys, Pki};
pub use protection::Protection;
pub use provider::{MachineProperties, Provider};

/// A Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// Always `kubewright.io/v1alpha1`.
    #[schemars(extend("const" = crate::API_VERSION))]
    pub api_version: String,
    /// Always `Cluster`.
    #[schemars(extend("const" = "Cluster"))]
    pub kind: String,
    /// Names the cluster.
    pub metadata: ClusterMetadata,
    /// What the cluster must be.
    pub spec: ClusterSpec,
}

/// What it takes to change a field that says nothing else: immutable fields say it with `x-immutable`.
pub(crate) const ANOTHER_CLUSTER: &str =
    "It takes another cluster: delete this one and create it anew, or create one beside it and move the workloads";

/// Names a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterMetadata {
    /// The cluster's name: lower-case letters, digits and `-`, at most 32 characters.
    #[schemars(with = "ClusterName", extend("x-immutable" = ANOTHER_CLUSTER))]
    pub name: String,
    /// Labels for the user's own use. kubewright only keeps them.
    #[serde(default)]
    #[schemars(with = "Keyed<LabelKey, LabelValue>")]
    pub labels: BTreeMap<String, String>,
}

/// What a cluster must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// Version of Kubernetes, such as `1.36.3`, or a minor such as `"1.36"` for its newest supported patch.
    /// It has no default, because a newer kubewright would then upgrade the cluster unasked.
    #[schemars(with = "Version")]
    pub kubernetes_version: String,
    /// The way of making a cluster that holds for it. Left out, it stays what it is, from creation on: a newer kubewright leaves
    /// running pods, kubelets and the room for pods alone. Setting a newer one asks for what it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Edition")]
    pub edition: Option<Edition>,
    /// Who brings the cluster's machines.
    #[serde(default)]
    #[schemars(extend("x-immutable" = ANOTHER_CLUSTER))]
    pub provider: Provider,
    /// Settings of the provider `local`.
    #[serde(default)]
    pub local: Local,
    /// Address ranges, DNS and the pod network.
    #[serde(default)]
    pub networking: Networking,
    /// How the API is reached.
    #[serde(default)]
    pub api: Api,
    /// etcd, one member on every control-plane machine.
    #[serde(default)]
    pub etcd: Etcd,
    /// kube-apiserver.
    #[serde(default, rename = "kubeAPIServer")]
    pub kube_api_server: KubeApiServer,
    /// kube-controller-manager.
    #[serde(default)]
    pub kube_controller_manager: Component,
    /// kube-scheduler.
    #[serde(default)]
    pub kube_scheduler: Component,
    /// kubelet on every machine. The `kubelet` of an instance group is laid over it, field by field.
    #[serde(default)]
    pub kubelet: Kubelet,
    /// Feature gates of every component. A component's own gates win.
    #[serde(default)]
    #[schemars(with = "Keyed<FeatureGate, bool>")]
    pub feature_gates: BTreeMap<String, bool>,
    /// The API server's audit log.
    #[serde(default)]
    pub audit: Audit,
    /// Encryption of Secrets in etcd.
    #[serde(default)]
    pub encryption_at_rest: EncryptionAtRest,
    /// The container runtime on every machine.
    #[serde(default)]
    pub containerd: Containerd,
    /// Certificate authorities and certificates.
    #[serde(default)]
    pub pki: Pki,
    /// Where binaries and images come from.
    #[serde(default)]
    pub assets: Assets,
    /// Optional parts that run in the cluster.
    #[serde(default)]
    pub addons: Addons,
    /// Own versions of kubewright's templates.
    #[serde(default)]
    pub templates: Vec<TemplateOverride>,
    /// Settings of the kernel on every machine, beside those that Kubernetes needs. Local machines share the host's kernel:
    /// there, only those of their own network (`net.…`).
    #[serde(default)]
    #[schemars(with = "Keyed<Sysctl, SysctlValue>")]
    pub sysctls: BTreeMap<String, String>,
    /// Files on every machine.
    #[serde(default)]
    pub files: Vec<MachineFile>,
    /// Commands that run on every machine at boot.
    #[serde(default)]
    pub hooks: Vec<Hook>,
    /// What kubewright must not delete.
    #[serde(default)]
    pub protection: Protection,
    /// How workers of all groups together are changed.
    #[serde(default)]
    pub rolling_update: ClusterRollingUpdate,
}
