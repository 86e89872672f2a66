//! The static pod of kube-scheduler.

use k8s_openapi::api::core::v1::Pod;

use super::pod::{self, Parts, Probes};
use super::{Component, PathType};
use crate::kubeadm::Extra;
use crate::{Error, Flags};

const KUBECONFIG: &str = "/etc/kubernetes/scheduler.conf";
const PORT: u16 = 10259;

/// What is known about the scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeScheduler {
    /// Image, flags, mounts.
    pub component: Component,
}

impl KubeScheduler {
    /// A scheduler with kubeadm's defaults.
    pub fn new(image: impl Into<String>) -> Self {
        Self { component: Component::new(image) }
    }
}

/// The flags of kube-scheduler.
pub fn args(input: &KubeScheduler) -> Vec<String> {
    flags(input).to_args()
}

/// What kubeadm has to be told to make the same pod.
pub fn extra(input: &KubeScheduler) -> Extra {
    let kubeadms = KubeScheduler::new(&input.component.image);
    Extra::beyond((&flags(input), input.component.extra_volumes.clone()), (&flags(&kubeadms), &[]))
}

/// The pod.
pub fn pod(input: &KubeScheduler) -> Pod {
    let flags = flags(input);
    pod::pod(Parts {
        name: "kube-scheduler",
        component: &input.component,
        args: flags.to_args(),
        mounts: vec![pod::same_path("kubeconfig", KUBECONFIG, PathType::FileOrCreate)],
        annotation: None,
        requests: &[("cpu", "100m")],
        probes: Probes {
            host: pod::probe_host(flags.last("bind-address")),
            port: PORT,
            scheme: "HTTPS",
            liveness: "/livez",
            readiness: Some("/readyz"),
            startup: "/livez",
        },
    })
}

/// The manifest `kube-scheduler.yaml`.
pub fn manifest(input: &KubeScheduler) -> Result<String, Error> {
    pod::manifest(&pod(input), "kube-scheduler")
}

fn flags(input: &KubeScheduler) -> Flags {
    Flags::new()
        .with("authentication-kubeconfig", KUBECONFIG)
        .with("authorization-kubeconfig", KUBECONFIG)
        .with("bind-address", "127.0.0.1")
        .with("kubeconfig", KUBECONFIG)
        .with("leader-elect", "true")
        .with_feature_gates(&input.component.feature_gates)
        .replaced_by(&input.component.extra_args)
}
