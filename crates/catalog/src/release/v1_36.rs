//! Kubernetes 1.36.

use super::{Deviation, Release};

/// Kubernetes 1.36.
pub(super) static RELEASE: Release = Release {
    minor: 36,
    kubernetes: "1.36.3",
    etcd: "3.6.8",
    etcd_image_tag: "3.6.8-0",
    coredns: "1.14.3",
    pause: "3.10.2",
    containerd: "2.4.2",
    containerd_minimum: "2.0.0",
    runc_minimum: "1.1.0",
    cni_plugins: "1.9.1",
    flannel: "0.28.4",
    flannel_cni: "0.9.1",
    metrics_server: "0.9.0",
    local_path_provisioner: "0.0.30",
    agnhost: "2.63.0",
    go_minimum: "1.26.0",
    deviations: &[Deviation {
        component: "coredns",
        kubeadm: "1.14.2",
        ours: "1.14.3",
        why: "the Go module proxy lacks 1.14.2; 1.14.3 is the next patch release",
    }],
};
