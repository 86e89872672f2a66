//! What kubeadm leaves in a new cluster besides addons: its ConfigMaps and RBAC.

mod config_maps;
mod rbac;

use serde_json::Value;

use crate::Error;
use crate::kubeadm::ClusterConfiguration;
use crate::kubelet::KubeletConfiguration;

pub use config_maps::{cluster_info, cluster_info_kubeconfig, kubeadm_config, kubelet_config};
pub use rbac::rbac;

/// Group of machines that hold a bootstrap token.
pub const NODE_BOOTSTRAP_GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";
/// Group of `admin.conf`'s user.
pub const CLUSTER_ADMINS_GROUP: &str = "kubeadm:cluster-admins";

/// What is known about a cluster that is being founded.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterInput {
    /// kubeadm's view of the cluster.
    pub configuration: ClusterConfiguration,
    /// kubelet's configuration without the layer of any group.
    pub kubelet: KubeletConfiguration,
    /// The kubeconfig for `cluster-info` as text (see [`cluster_info_kubeconfig`]), or a reference to it: the CA in it may
    /// not exist yet.
    pub cluster_info_kubeconfig: Value,
}

/// ConfigMaps and RBAC of a new cluster. The bindings of `admin.conf` come first.
pub fn bootstrap(input: &ClusterInput) -> Result<Vec<Value>, Error> {
    let mut objects = rbac()?;
    objects.push(kubeadm_config(&input.configuration)?);
    objects.push(kubelet_config(&input.kubelet)?);
    objects.push(cluster_info(&input.cluster_info_kubeconfig)?);
    Ok(objects)
}
