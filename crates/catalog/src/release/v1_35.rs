//! Kubernetes 1.35.

use super::{Deviation, Release};

/// Kubernetes 1.35.
pub(super) static RELEASE: Release = Release {
    minor: 35,
    kubernetes: "1.35.4",
    etcd: "3.6.8",
    etcd_image_tag: "3.6.8-0",
    coredns: "1.14.3",
    pause: "3.10.1",
    containerd: "2.4.2",
    containerd_minimum: "1.7.0",
    runc_minimum: "1.1.0",
    cni_plugins: "1.9.1",
    flannel: "0.28.4",
    flannel_cni: "0.9.1",
    metrics_server: "0.9.0",
    local_path_provisioner: "0.0.30",
    agnhost: "2.59",
    go_minimum: "1.25.0",
    deviations: &[
        Deviation {
            component: "etcd",
            kubeadm: "3.6.6-0",
            ours: "3.6.8-0",
            why: "kubeadm 1.36 names 3.6.8-0 for 1.35 too; one etcd serves all supported minors, so upgrades leave it alone",
        },
        Deviation {
            component: "coredns",
            kubeadm: "1.13.1",
            ours: "1.14.3",
            why: "one CoreDNS serves all supported minors, so upgrades leave it alone; the Corefile is the same",
        },
    ],
};
