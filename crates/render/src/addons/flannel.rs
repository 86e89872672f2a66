//! flannel: the default pod network (VXLAN).

use std::collections::BTreeMap;

use catalog::Edition;
use ipnet::IpNet;
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, Container, ExecAction, Lifecycle, LifecycleHandler, Namespace, PodSpec, PodTemplateSpec,
    SecurityContext, Toleration,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{AddressFamily, Error, shape, yaml};

const NAMESPACE: &str = "kube-flannel";
const NAME: &str = "flannel";
const CONFIG_MAP: &str = "kube-flannel-cfg";
const DAEMON_SET: &str = "kube-flannel-ds";
const LABELS: [(&str, &str); 2] = [("app", "flannel"), ("tier", "node")];
const APP: (&str, &str) = ("k8s-app", "flannel");
const PROGRAM: &str = "/opt/bin/flanneld";
/// flannel writes it when it knows the node's range and has its routes.
pub const SUBNET_FILE: &str = "/run/flannel/subnet.env";
/// The CNI configuration; its presence makes the node Ready.
pub const CONFLIST: &str = "/etc/cni/net.d/10-flannel.conflist";

/// What is known about flannel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flannel {
    /// Image with `flanneld`, `sh` and coreutils.
    pub image: String,
    /// Ranges of pod addresses, one per family.
    pub pod_cidrs: Vec<IpNet>,
    /// Host of the API without service addresses: flannel starts before kube-proxy.
    pub api_host: String,
    /// Port of the API there.
    pub api_port: u16,
    /// Family of the nodes' first addresses.
    pub family: AddressFamily,
    /// Rules by nftables instead of iptables.
    pub nftables: bool,
    /// How packets get to other nodes.
    pub backend: Backend,
    /// MTU of the pod network; `None`: that of the node's interface, less the overhead.
    pub mtu: Option<u32>,
    /// The nodes' interface to each other; `None`: the one with the node's address.
    pub interface: Option<String>,
    /// The way of making a cluster that holds.
    pub edition: Edition,
}

/// How packets get to other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// In UDP.
    Vxlan {
        /// UDP port; `None`: the kernel's 8472.
        port: Option<u16>,
    },
    /// By routes; all nodes are in one layer 2 network.
    HostGateway,
}

impl Flannel {
    /// VXLAN and nftables.
    pub fn new(image: impl Into<String>, pod_cidrs: Vec<IpNet>, api_host: impl Into<String>, api_port: u16) -> Self {
        Self {
            image: image.into(),
            pod_cidrs,
            api_host: api_host.into(),
            api_port,
            family: AddressFamily::V4,
            nftables: true,
            backend: Backend::Vxlan { port: None },
            mtu: None,
            interface: None,
            edition: Edition::NEWEST,
        }
    }
}

/// All objects of flannel.
pub fn objects(input: &Flannel) -> Result<Vec<Value>, Error> {
    let privileged = [APP, ("pod-security.kubernetes.io/enforce", "privileged")];
    let namespace = Namespace { metadata: shape::unnamespaced(NAMESPACE, &privileged), ..Namespace::default() };
    let rules = vec![
        shape::rule(&[""], &["pods"], &["get"]),
        shape::rule(&[""], &["nodes"], &["get", "list", "watch"]),
        shape::rule(&[""], &["nodes/status"], &["patch"]),
    ];
    let data = BTreeMap::from([
        ("cni-conf.json".to_owned(), yaml::to_json_text(&cni_conf(), CONFIG_MAP)?),
        ("net-conf.json".to_owned(), yaml::to_json_text(&yaml::to_value(&net_conf(input), CONFIG_MAP)?, CONFIG_MAP)?),
    ]);
    let digest = shape::digest_of(&data)?;
    let config_map = ConfigMap {
        metadata: shape::namespaced(NAMESPACE, CONFIG_MAP, &[LABELS[0], LABELS[1], APP]),
        data: Some(data),
        ..ConfigMap::default()
    };
    let subjects = vec![shape::account(NAMESPACE, NAME)];
    Ok(vec![
        shape::object(NAME, &namespace)?,
        shape::object(NAME, &shape::service_account(NAMESPACE, NAME))?,
        shape::object(NAME, &shape::cluster_role(NAME, &[APP], rules))?,
        shape::object(NAME, &shape::cluster_role_binding(NAME, NAME, subjects))?,
        shape::object(NAME, &config_map)?,
        shape::object(NAME, &daemon_set(input, &digest))?,
    ])
}

/// The command line in the pod.
pub fn args(input: &Flannel) -> Vec<String> {
    let interface = input.interface.iter().map(|interface| format!("--iface={interface}"));
    interface.chain(shape::strings(&["--ip-masq", "--kube-subnet-mgr"])).collect()
}

/// The key `net-conf.json`.
fn net_conf(input: &Flannel) -> NetConf {
    let find = |wanted: fn(&&IpNet) -> bool| input.pod_cidrs.iter().find(wanted).map(ToString::to_string);
    let v6 = find(|cidr| matches!(cidr, IpNet::V6(_)));
    let v4 = find(|cidr| matches!(cidr, IpNet::V4(_)));
    NetConf {
        enable_ipv4: v4.is_none().then_some(false),
        network: v4,
        enable_ipv6: v6.is_some().then_some(true),
        ipv6_network: v6,
        enable_nftables: input.nftables,
        backend: match input.backend {
            Backend::Vxlan { port } => NetBackend { type_: "vxlan", port, mtu: input.mtu },
            Backend::HostGateway => NetBackend { type_: "host-gw", port: None, mtu: None },
        },
    }
}

#[derive(Serialize)]
struct NetConf {
    #[serde(rename = "EnableIPv4", skip_serializing_if = "Option::is_none")]
    enable_ipv4: Option<bool>,
    #[serde(rename = "Network", skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(rename = "EnableIPv6", skip_serializing_if = "Option::is_none")]
    enable_ipv6: Option<bool>,
    #[serde(rename = "IPv6Network", skip_serializing_if = "Option::is_none")]
    ipv6_network: Option<String>,
    #[serde(rename = "EnableNFTables")]
    enable_nftables: bool,
    #[serde(rename = "Backend")]
    backend: NetBackend,
}

#[derive(Serialize)]
struct NetBackend {
    #[serde(rename = "Type")]
    type_: &'static str,
    #[serde(rename = "Port", skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(rename = "MTU", skip_serializing_if = "Option::is_none")]
    mtu: Option<u32>,
}

/// The key `cni-conf.json`: hairpin so that a pod reaches itself through its service, portmap for host ports.
fn cni_conf() -> Value {
    json!({
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

fn daemon_set(input: &Flannel, digest: &resource::Digest) -> DaemonSet {
    DaemonSet {
        metadata: shape::namespaced(NAMESPACE, DAEMON_SET, &[LABELS[0], LABELS[1], APP]),
        spec: Some(DaemonSetSpec {
            selector: shape::selector(&LABELS[..1]),
            template: PodTemplateSpec {
                metadata: Some(shape::template(&LABELS, Some(digest))),
                spec: Some(pod_spec(input)),
            },
            ..DaemonSetSpec::default()
        }),
        ..DaemonSet::default()
    }
}

fn pod_spec(input: &Flannel) -> PodSpec {
    PodSpec {
        containers: vec![container(input)],
        host_network: Some(true),
        node_selector: Some(shape::linux_only()),
        priority_class_name: Some("system-node-critical".to_owned()),
        service_account_name: Some(NAME.to_owned()),
        tolerations: Some(vec![tolerated(input.edition)]),
        volumes: Some(vec![
            shape::host_path("run", "/run/flannel", Some("DirectoryOrCreate")),
            shape::host_path("cni", "/etc/cni/net.d", Some("DirectoryOrCreate")),
            shape::config_map_volume("flannel-cfg", CONFIG_MAP),
            shape::host_path("xtables-lock", "/run/xtables.lock", Some("FileOrCreate")),
        ]),
        ..PodSpec::default()
    }
}

/// Every taint; in the first edition none that evicts.
fn tolerated(edition: Edition) -> Toleration {
    let effect = (edition < Edition::V2).then(|| "NoSchedule".to_owned());
    Toleration { effect, ..shape::tolerate_all() }
}

fn container(input: &Flannel) -> Container {
    let public_ip = match input.family {
        AddressFamily::V4 => "FLANNELD_PUBLIC_IP",
        AddressFamily::V6 => "FLANNELD_PUBLIC_IPV6",
    };
    let mut command = vec![PROGRAM.to_owned()];
    command.extend(args(input));
    Container {
        name: "kube-flannel".to_owned(),
        image: Some(input.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(command),
        env: Some(vec![
            // With the name given, flanneld waits for an API that is not there yet; without, it asks for its pod and dies.
            shape::env_from_field("NODE_NAME", "spec.nodeName"),
            // The node's own address instead of the one with the default route.
            shape::env_from_field(public_ip, "status.hostIP"),
            shape::env("KUBERNETES_SERVICE_HOST", &input.api_host),
            shape::env("KUBERNETES_SERVICE_PORT", &input.api_port.to_string()),
            shape::env("EVENT_QUEUE_DEPTH", "5000"),
        ]),
        lifecycle: Some(install_conflist()),
        resources: Some(shape::requests(&[("cpu", "100m"), ("memory", "50Mi")])),
        security_context: Some(SecurityContext {
            privileged: Some(false),
            capabilities: Some(Capabilities {
                add: Some(shape::strings(&["NET_ADMIN", "NET_RAW"])),
                ..Capabilities::default()
            }),
            ..SecurityContext::default()
        }),
        termination_message_policy: shape::last_words(input.edition),
        volume_mounts: Some(vec![
            shape::mount("run", "/run/flannel", false),
            shape::mount("cni", "/etc/cni/net.d", false),
            shape::mount("flannel-cfg", "/etc/kube-flannel/", false),
            shape::mount("xtables-lock", "/run/xtables.lock", false),
        ]),
        ..Container::default()
    }
}

/// Upstream copies the CNI configuration before flanneld starts, so the node is Ready before a pod can get an address, and
/// kubelet tries a failed pod again only after 10 s. Here it is copied when the subnet file is there: Ready means ready.
fn install_conflist() -> Lifecycle {
    let script = format!(
        "until [ -s {SUBNET_FILE} ]; do sleep 0.1; done; \
         cp -f /etc/kube-flannel/cni-conf.json {CONFLIST}.new && mv -f {CONFLIST}.new {CONFLIST}"
    );
    Lifecycle {
        post_start: Some(LifecycleHandler {
            exec: Some(ExecAction { command: Some(vec!["sh".to_owned(), "-c".to_owned(), script]) }),
            ..LifecycleHandler::default()
        }),
        ..Lifecycle::default()
    }
}
