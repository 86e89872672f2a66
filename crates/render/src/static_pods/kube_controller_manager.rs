//! The static pod of kube-controller-manager.

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Pod;

use super::pod::{self, Parts, Probes};
use super::{CA_DIRECTORIES, Component, HostMount, PKI_DIR, PathType};
use crate::kubeadm::Extra;
use crate::{Error, Flags};

const KUBECONFIG: &str = "/etc/kubernetes/controller-manager.conf";
const PORT: u16 = 10257;

/// What is known about the controller manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeControllerManager {
    /// Image, flags, mounts.
    pub component: Component,
    /// Name of the cluster; cloud resources carry it.
    pub cluster_name: String,
    /// Ranges of pod addresses, the primary one first; empty: no node gets a range.
    pub pod_cidrs: Vec<IpNet>,
    /// Ranges of service addresses, the same as the API server's.
    pub service_cidrs: Vec<IpNet>,
    /// Prefix length of a node's IPv4 range; `None`: 24.
    pub node_cidr_mask_size_ipv4: Option<u8>,
    /// Prefix length of a node's IPv6 range; `None`: 64.
    pub node_cidr_mask_size_ipv6: Option<u8>,
    /// Signs certificates of kubelets: needs the CA's key on the machine.
    pub signs_certificates: bool,
    /// Directory of FlexVolume plugins, which kubeadm mounts up to 1.35; `None`: not mounted (`/usr` may be read-only).
    pub flexvolume_dir: Option<String>,
    /// Directories of CA certificates to mount.
    pub ca_directories: Vec<String>,
}

impl KubeControllerManager {
    /// A controller manager with kubeadm's defaults.
    pub fn new(
        image: impl Into<String>,
        cluster_name: impl Into<String>,
        pod_cidrs: Vec<IpNet>,
        service_cidrs: Vec<IpNet>,
    ) -> Self {
        Self {
            component: Component::new(image),
            cluster_name: cluster_name.into(),
            pod_cidrs,
            service_cidrs,
            node_cidr_mask_size_ipv4: None,
            node_cidr_mask_size_ipv6: None,
            signs_certificates: true,
            flexvolume_dir: None,
            ca_directories: CA_DIRECTORIES.map(str::to_owned).to_vec(),
        }
    }
}

/// The flags of kube-controller-manager.
pub fn args(input: &KubeControllerManager) -> Vec<String> {
    flags(input).to_args()
}

/// What kubeadm has to be told to make the same pod.
pub fn extra(input: &KubeControllerManager) -> Extra {
    let kubeadms = KubeControllerManager {
        component: Component::new(&input.component.image),
        node_cidr_mask_size_ipv4: None,
        node_cidr_mask_size_ipv6: None,
        signs_certificates: true,
        ..input.clone()
    };
    Extra::beyond((&flags(input), input.component.extra_volumes.clone()), (&flags(&kubeadms), &[]))
}

/// The pod.
pub fn pod(input: &KubeControllerManager) -> Pod {
    let flags = flags(input);
    let mut mounts = pod::certificate_mounts(&input.ca_directories);
    mounts.push(pod::same_path("kubeconfig", KUBECONFIG, PathType::FileOrCreate));
    if let Some(directory) = &input.flexvolume_dir {
        // Plugins write state there.
        let mount = pod::same_path("flexvolume-dir", directory, PathType::DirectoryOrCreate);
        mounts.push(HostMount { read_only: false, ..mount });
    }
    pod::pod(Parts {
        name: "kube-controller-manager",
        component: &input.component,
        args: flags.to_args(),
        mounts: pod::by_name(mounts),
        annotation: None,
        requests: &[("cpu", "200m")],
        probes: Probes {
            host: pod::probe_host(flags.last("bind-address")),
            port: PORT,
            scheme: "HTTPS",
            liveness: "/healthz",
            readiness: None,
            startup: "/healthz",
        },
    })
}

/// The manifest `kube-controller-manager.yaml`.
pub fn manifest(input: &KubeControllerManager) -> Result<String, Error> {
    pod::manifest(&pod(input), "kube-controller-manager")
}

fn flags(input: &KubeControllerManager) -> Flags {
    let pki = |file: &str| format!("{PKI_DIR}/{file}");
    // An empty path turns the signer off, as kubeadm does for a CA without its key.
    let signer = |file: &str| if input.signs_certificates { pki(file) } else { String::new() };
    let flags = Flags::new()
        .with("authentication-kubeconfig", KUBECONFIG)
        .with("authorization-kubeconfig", KUBECONFIG)
        .with("bind-address", "127.0.0.1")
        .with("client-ca-file", pki("ca.crt"))
        .with("cluster-name", &input.cluster_name)
        .with("cluster-signing-cert-file", signer("ca.crt"))
        .with("cluster-signing-key-file", signer("ca.key"))
        .with("controllers", "*,bootstrapsigner,tokencleaner")
        .with("kubeconfig", KUBECONFIG)
        .with("leader-elect", "true")
        .with("requestheader-client-ca-file", pki("front-proxy-ca.crt"))
        .with("root-ca-file", pki("ca.crt"))
        .with("service-account-private-key-file", pki("sa.key"))
        .with("use-service-account-credentials", "true")
        .with_feature_gates(&input.component.feature_gates);
    node_ranges(flags, input).replaced_by(&input.component.extra_args)
}

fn node_ranges(flags: Flags, input: &KubeControllerManager) -> Flags {
    if input.pod_cidrs.is_empty() {
        return flags;
    }
    let flags = flags
        .with("allocate-node-cidrs", "true")
        .with_list("cluster-cidr", &input.pod_cidrs)
        .with_list("service-cluster-ip-range", &input.service_cidrs);
    let text = |size: Option<u8>| size.map(|size| size.to_string());
    let (v4, v6) = (text(input.node_cidr_mask_size_ipv4), text(input.node_cidr_mask_size_ipv6));
    match input.pod_cidrs.as_slice() {
        // One family has one flag, two families have a flag each; the wrong one is refused.
        [IpNet::V4(_)] => flags.with_some("node-cidr-mask-size", v4),
        [IpNet::V6(_)] => flags.with_some("node-cidr-mask-size", v6),
        _ => flags.with_some("node-cidr-mask-size-ipv4", v4).with_some("node-cidr-mask-size-ipv6", v6),
    }
}
