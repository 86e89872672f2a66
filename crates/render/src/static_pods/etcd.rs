//! The static pod of an etcd member.

use k8s_openapi::api::core::v1::Pod;

use super::pod::{self, Parts, Probes};
use super::{Component, HostMount, PKI_DIR, PathType};
use crate::kubeadm::Extra;
use crate::{AddressFamily, Error, Flags, hole};

/// Port for clients.
pub const CLIENT_PORT: u16 = 2379;
/// Port for other members.
pub const PEER_PORT: u16 = 2380;
/// Port for metrics and health, loopback only.
pub const METRICS_PORT: u16 = 2381;

/// What is known about an etcd member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etcd {
    /// Image, flags, mounts.
    pub component: Component,
    /// Family of the node's first address.
    pub family: AddressFamily,
    /// Directory of the data.
    pub data_dir: String,
    /// All members that are there when this one starts, itself included; empty for a cluster of this machine alone.
    pub initial_cluster: Vec<Member>,
    /// `None`: etcd's default, a new cluster.
    pub initial_cluster_state: Option<ClusterState>,
}

/// A member of the initial cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, that of its node.
    pub name: String,
    /// Its address, a literal or a hole, without brackets.
    pub address: String,
}

/// Whether a member founds a cluster or joins one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// Founded by the initial cluster.
    New,
    /// There already; the member was added to it.
    Existing,
}

impl Etcd {
    /// A member with kubeadm's defaults, alone in its cluster.
    pub fn new(image: impl Into<String>) -> Self {
        Self {
            component: Component::new(image),
            family: AddressFamily::V4,
            data_dir: "/var/lib/etcd".to_owned(),
            initial_cluster: Vec::new(),
            initial_cluster_state: None,
        }
    }
}

/// The flags of etcd.
pub fn args(input: &Etcd) -> Vec<String> {
    flags(input).to_args()
}

/// What kubeadm has to be told to make the same pod; it knows no further mounts of etcd.
pub fn extra(input: &Etcd) -> Extra {
    let kubeadms = Etcd { component: Component::new(&input.component.image), ..input.clone() };
    Extra::beyond((&flags(input), Vec::new()), (&flags(&kubeadms), &[]))
}

/// The pod.
pub fn pod(input: &Etcd) -> Pod {
    let mount = |name: &str, path: &str| HostMount {
        read_only: false,
        ..pod::same_path(name, path, PathType::DirectoryOrCreate)
    };
    pod::pod(Parts {
        name: "etcd",
        component: &input.component,
        args: args(input),
        mounts: vec![mount("etcd-data", &input.data_dir), mount("etcd-certs", &format!("{PKI_DIR}/etcd"))],
        annotation: Some((
            "kubeadm.kubernetes.io/etcd.advertise-client-urls",
            format!("https://{}", input.family.join(hole::NODE_IP, CLIENT_PORT)),
        )),
        requests: &[("cpu", "100m"), ("memory", "100Mi")],
        probes: Probes {
            host: input.family.loopback().to_owned(),
            port: METRICS_PORT,
            scheme: "HTTP",
            liveness: "/livez",
            readiness: Some("/readyz"),
            startup: "/readyz",
        },
    })
}

/// The manifest `etcd.yaml`.
pub fn manifest(input: &Etcd) -> Result<String, Error> {
    pod::manifest(&pod(input), "etcd")
}

fn flags(input: &Etcd) -> Flags {
    let certificate = |file: &str| format!("{PKI_DIR}/etcd/{file}");
    let url = |host: &str, port| format!("https://{}", input.family.join(host, port));
    let loopback = input.family.loopback();
    let mut gates = input.component.feature_gates.clone();
    gates.entry("InitialCorruptCheck".to_owned()).or_insert(true);
    Flags::new()
        .with("advertise-client-urls", url(hole::NODE_IP, CLIENT_PORT))
        .with("cert-file", certificate("server.crt"))
        .with("client-cert-auth", "true")
        .with("data-dir", &input.data_dir)
        .with_feature_gates(&gates)
        .with("initial-advertise-peer-urls", url(hole::NODE_IP, PEER_PORT))
        .with("initial-cluster", initial_cluster(input))
        .with_some("initial-cluster-state", input.initial_cluster_state.map(ClusterState::as_str))
        .with("key-file", certificate("server.key"))
        .with("listen-client-urls", format!("{},{}", url(loopback, CLIENT_PORT), url(hole::NODE_IP, CLIENT_PORT)))
        .with("listen-metrics-urls", format!("http://{}", input.family.join(loopback, METRICS_PORT)))
        .with("listen-peer-urls", url(hole::NODE_IP, PEER_PORT))
        .with("name", hole::NODE_NAME)
        .with("peer-cert-file", certificate("peer.crt"))
        .with("peer-client-cert-auth", "true")
        .with("peer-key-file", certificate("peer.key"))
        .with("peer-trusted-ca-file", certificate("ca.crt"))
        .with("snapshot-count", "10000")
        .with("trusted-ca-file", certificate("ca.crt"))
        .with("watch-progress-notify-interval", "5s")
        .replaced_by(&input.component.extra_args)
}

fn initial_cluster(input: &Etcd) -> String {
    let entry = |name: &str, address: &str| format!("{name}=https://{}", input.family.join(address, PEER_PORT));
    if input.initial_cluster.is_empty() {
        return entry(hole::NODE_NAME, hole::NODE_IP);
    }
    let entries: Vec<_> = input.initial_cluster.iter().map(|member| entry(&member.name, &member.address)).collect();
    entries.join(",")
}

impl ClusterState {
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Existing => "existing",
        }
    }
}
