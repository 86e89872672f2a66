//! Kubernetes 1.35.

use super::common::COMMON;
use super::{Deviation, Release};

/// Kubernetes 1.35.
pub(super) const RELEASE: Release = Release {
    minor: 35,
    kubernetes: "1.35.4",
    pause: "3.10.1",
    containerd_minimum: "1.7.0",
    crictl: "1.34.0",
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
    ..COMMON
};
