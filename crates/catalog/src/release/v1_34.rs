//! Kubernetes 1.34.

use super::common::COMMON;
use super::{Deviation, Release};

/// Kubernetes 1.34.
pub(super) const RELEASE: Release = Release {
    minor: 34,
    kubernetes: "1.34.4",
    pause: "3.10.1",
    containerd_minimum: "1.7.0",
    crictl: "1.34.0",
    agnhost: "2.56",
    go_minimum: "1.25.0",
    deviations: &[
        Deviation {
            component: "etcd",
            kubeadm: "3.6.5-0",
            ours: "3.6.8-0",
            why: "kubeadm 1.36 names 3.6.8-0 for 1.34 too; one etcd serves all supported minors, so upgrades leave it alone",
        },
        Deviation {
            component: "coredns",
            kubeadm: "1.12.1",
            ours: "1.14.3",
            why: "one CoreDNS serves all supported minors, so upgrades leave it alone; the Corefile is the same",
        },
    ],
    ..COMMON
};
