//! What a document depends on that changes with the Kubernetes minor, as plain switches set by the caller.

/// Differences between Kubernetes minors that show in documents; [`catalog::Gates`] is the table they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// kubelet still takes `--pod-infra-container-image` and kubeadm passes it (removed in 1.35).
    pub kubelet_pod_infra_container_image: bool,
}

impl Gates {
    /// The gates of Kubernetes 1.`minor`.
    pub fn of_minor(minor: u32) -> Self {
        catalog::Gates::for_minor(minor).into()
    }
}

impl From<catalog::Gates> for Gates {
    fn from(gates: catalog::Gates) -> Self {
        Self { kubelet_pod_infra_container_image: gates.kubelet_pod_infra_container_image }
    }
}
