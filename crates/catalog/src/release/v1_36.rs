//! Kubernetes 1.36.

use super::common::COMMON;
use super::{Deviation, Release};

/// Kubernetes 1.36.
pub(super) const RELEASE: Release = Release {
    minor: 36,
    kubernetes: "1.36.3",
    pause: "3.10.2",
    containerd_minimum: "2.0.0",
    crictl: "1.36.0",
    agnhost: "2.63.0",
    go_minimum: "1.26.0",
    deviations: &[Deviation {
        component: "coredns",
        kubeadm: "1.14.2",
        ours: "1.14.3",
        why: "the Go module proxy lacks 1.14.2; 1.14.3 is the next patch release",
    }],
    ..COMMON
};
