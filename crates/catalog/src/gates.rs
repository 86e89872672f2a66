//! What changed between the supported minors in flags, config fields and objects, as named facts for `render`.

/// What one Kubernetes minor has and needs.
///
/// Older gates (`--insecure-port`, dockershim, the `master` label and the like) ended below the oldest supported
/// minor, so every supported minor is on the far side of them. Facts are from Kubernetes' sources of each minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// kubelet has `--pod-infra-container-image`, and kubeadm sets it (removed in 1.35).
    pub kubelet_pod_infra_container_image: bool,
    /// kubelet refuses cgroup v1 unless `failCgroupV1: false` stands in its config (default since 1.35).
    pub kubelet_fails_on_cgroup_v1: bool,
    /// kubelet needs a runtime with the CRI call `RuntimeConfig`, which containerd has since 2.0 (1.36).
    pub kubelet_needs_runtime_config: bool,
    /// kubeadm keeps the runtime's socket in `instance-config.yaml` and not in a node annotation (feature gate
    /// `NodeLocalCRISocket`, on by default since 1.34).
    pub node_local_cri_socket: bool,
    /// kubeadm gives kube-apiserver's kubelet client certificate the organization `kubeadm:cluster-admins` (until
    /// 1.35). Without it the ClusterRoleBinding `kubeadm:apiserver-kubelet-client` grants `system:kubelet-api-admin`.
    pub apiserver_kubelet_client_is_cluster_admin: bool,
    /// kubeadm mounts the FlexVolume directory into kube-controller-manager (until 1.35).
    pub controller_manager_flexvolume_mount: bool,
    /// etcd takes `--feature-gates=InitialCorruptCheck=true` and `--watch-progress-notify-interval` (etcd 3.6);
    /// before, they had `--experimental-` names.
    pub etcd_stable_flags: bool,
    /// kubeadm's API accepts `kubeadm.k8s.io/v1beta4`.
    pub kubeadm_v1beta4: bool,
}

impl Gates {
    /// What `1.<minor>` has and needs.
    pub fn for_minor(minor: u32) -> Self {
        Self {
            kubelet_pod_infra_container_image: minor < 35,
            kubelet_fails_on_cgroup_v1: minor >= 35,
            kubelet_needs_runtime_config: minor >= 36,
            node_local_cri_socket: minor >= 34,
            apiserver_kubelet_client_is_cluster_admin: minor < 36,
            controller_manager_flexvolume_mount: minor < 36,
            etcd_stable_flags: minor >= 34,
            kubeadm_v1beta4: minor >= 31,
        }
    }
}
