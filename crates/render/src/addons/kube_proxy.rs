//! kube-proxy: service addresses on every node, as kubeadm installs it.

use std::collections::BTreeMap;

use catalog::Edition;
use ipnet::IpNet;
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy};
use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, PodTemplateSpec, SecurityContext};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{KUBE_SYSTEM, in_cluster_kubeconfig};
use crate::objects::NODE_BOOTSTRAP_GROUP;
use crate::{AddressFamily, Error, shape, yaml};

const NAME: &str = "kube-proxy";
const LABELS: [(&str, &str); 1] = [("k8s-app", NAME)];
const PROGRAM: &str = "/usr/local/bin/kube-proxy";
const CONFIG_DIR: &str = "/var/lib/kube-proxy";

/// What is known about kube-proxy.
#[derive(Debug, Clone, PartialEq)]
pub struct KubeProxy {
    /// Image; the program is at `/usr/local/bin/kube-proxy` in it.
    pub image: String,
    /// URL of the API that works without service addresses, such as `https://10.0.0.1:6443`.
    pub server: String,
    /// Ranges of pod addresses, the primary one first.
    pub pod_cidrs: Vec<IpNet>,
    /// Family of the nodes' first addresses.
    pub family: AddressFamily,
    /// How rules are made.
    pub mode: Mode,
    /// Limits of the connection table; `None`: kube-proxy sets them from the number of cores.
    pub conntrack: Option<Conntrack>,
    /// Feature gates by name.
    pub feature_gates: BTreeMap<String, bool>,
    /// The user's fields of KubeProxyConfiguration; they win, null removes.
    pub layer: Map<String, Value>,
    /// The way of making a cluster that holds.
    pub edition: Edition,
}

/// How kube-proxy makes its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// nftables (kernel 5.13 and later).
    Nftables,
    /// iptables.
    Iptables,
}

/// Limits of the connection table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conntrack {
    /// Entries per core.
    pub max_per_core: i32,
    /// Least number of entries.
    pub min: i32,
}

impl Conntrack {
    /// The table belongs to somebody else (the host of containers): hands off.
    pub const UNTOUCHED: Self = Self { max_per_core: 0, min: 0 };
}

impl KubeProxy {
    /// kube-proxy in nftables mode.
    pub fn new(image: impl Into<String>, server: impl Into<String>, pod_cidrs: Vec<IpNet>) -> Self {
        Self {
            image: image.into(),
            server: server.into(),
            pod_cidrs,
            family: AddressFamily::V4,
            mode: Mode::Nftables,
            conntrack: None,
            feature_gates: BTreeMap::new(),
            layer: Map::new(),
            edition: Edition::NEWEST,
        }
    }
}

/// All objects of kube-proxy.
pub fn objects(input: &KubeProxy) -> Result<Vec<Value>, Error> {
    let data = BTreeMap::from([
        ("config.conf".to_owned(), config(input)?),
        ("kubeconfig.conf".to_owned(), in_cluster_kubeconfig(&input.server)?),
    ]);
    let digest = shape::digest_of(&data)?;
    let config_map = ConfigMap {
        metadata: shape::namespaced(KUBE_SYSTEM, NAME, &[("app", NAME)]),
        data: Some(data),
        ..ConfigMap::default()
    };
    let role = shape::role(KUBE_SYSTEM, NAME, vec![shape::rule_for("configmaps", NAME, &["get"])]);
    let joining = vec![shape::group(NODE_BOOTSTRAP_GROUP)];
    let proxier = vec![shape::account(KUBE_SYSTEM, NAME)];
    Ok(vec![
        shape::object(NAME, &shape::service_account(KUBE_SYSTEM, NAME))?,
        shape::object(NAME, &shape::cluster_role_binding("kubeadm:node-proxier", "system:node-proxier", proxier))?,
        shape::object(NAME, &role)?,
        shape::object(NAME, &shape::role_binding(KUBE_SYSTEM, NAME, NAME, joining))?,
        shape::object(NAME, &config_map)?,
        shape::object(NAME, &daemon_set(input, &digest))?,
    ])
}

/// The command line in the pod.
pub fn args() -> Vec<String> {
    vec![format!("--config={CONFIG_DIR}/config.conf"), "--hostname-override=$(NODE_NAME)".to_owned()]
}

/// The key `config.conf`.
pub fn config(input: &KubeProxy) -> Result<String, Error> {
    let configuration = Configuration {
        api_version: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        bind_address: input.family.unspecified(),
        client_connection: ClientConnection { kubeconfig: format!("{CONFIG_DIR}/kubeconfig.conf") },
        cluster_cidr: input.pod_cidrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        conntrack: input.conntrack,
        feature_gates: input.feature_gates.clone(),
        mode: input.mode,
    };
    let mut value = yaml::to_value(&configuration, "KubeProxyConfiguration")?;
    yaml::merge(&mut value, &Value::Object(input.layer.clone()));
    yaml::to_text(&value)
}

/// Zero values are kube-proxy's defaults and are not written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    api_version: &'static str,
    kind: &'static str,
    bind_address: &'static str,
    client_connection: ClientConnection,
    #[serde(rename = "clusterCIDR", skip_serializing_if = "String::is_empty")]
    cluster_cidr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conntrack: Option<Conntrack>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    feature_gates: BTreeMap<String, bool>,
    mode: Mode,
}

#[derive(Serialize)]
struct ClientConnection {
    kubeconfig: String,
}

fn daemon_set(input: &KubeProxy, digest: &resource::Digest) -> DaemonSet {
    DaemonSet {
        metadata: shape::namespaced(KUBE_SYSTEM, NAME, &LABELS),
        spec: Some(DaemonSetSpec {
            selector: shape::selector(&LABELS),
            template: PodTemplateSpec {
                metadata: Some(shape::template(&LABELS, Some(digest))),
                spec: Some(pod_spec(input)),
            },
            update_strategy: Some(DaemonSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                ..DaemonSetUpdateStrategy::default()
            }),
            ..DaemonSetSpec::default()
        }),
        ..DaemonSet::default()
    }
}

fn pod_spec(input: &KubeProxy) -> PodSpec {
    let mut command = vec![PROGRAM.to_owned()];
    command.extend(args());
    let container = Container {
        name: NAME.to_owned(),
        image: Some(input.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(command),
        env: Some(vec![shape::env_from_field("NODE_NAME", "spec.nodeName")]),
        resources: shape::requests_since_v2(input.edition, &[("cpu", "50m"), ("memory", "50Mi")]),
        security_context: Some(SecurityContext { privileged: Some(true), ..SecurityContext::default() }),
        termination_message_policy: shape::last_words(input.edition),
        volume_mounts: Some(vec![
            shape::mount(NAME, CONFIG_DIR, false),
            shape::mount("xtables-lock", "/run/xtables.lock", false),
            shape::mount("lib-modules", "/lib/modules", true),
        ]),
        ..Container::default()
    };
    PodSpec {
        containers: vec![container],
        host_network: Some(true),
        node_selector: Some(shape::linux_only()),
        priority_class_name: Some("system-node-critical".to_owned()),
        service_account_name: Some(NAME.to_owned()),
        tolerations: Some(vec![shape::tolerate_all()]),
        volumes: Some(vec![
            shape::config_map_volume(NAME, NAME),
            shape::host_path("xtables-lock", "/run/xtables.lock", Some("FileOrCreate")),
            shape::host_path("lib-modules", "/lib/modules", None),
        ]),
        ..PodSpec::default()
    }
}
