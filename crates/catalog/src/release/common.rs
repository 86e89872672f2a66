//! What does not depend on the minor: one version serves all of them, so an upgrade leaves it alone.

use super::Release;

/// Components that all minors share; each minor fills in the rest.
pub(super) const COMMON: Release = Release {
    minor: 0,
    kubernetes: "",
    etcd: "3.6.8",
    etcd_image_tag: "3.6.8-0",
    coredns: "1.14.3",
    pause: "",
    containerd: "2.4.2",
    containerd_minimum: "",
    runc_minimum: "1.1.0",
    crictl: "",
    cni_plugins: "1.9.1",
    flannel: "0.28.4",
    flannel_cni: "0.9.1",
    metrics_server: "0.9.0",
    local_path_provisioner: "0.0.30",
    agnhost: "",
    go_minimum: "",
    deviations: &[],
};
