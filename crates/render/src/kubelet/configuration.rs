//! KubeletConfiguration: defaults, the platform's needs, and the user's layers over them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use catalog::Edition;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{CONTAINERD_ENDPOINT, NodePlatform};
use crate::static_pods::{MANIFESTS_DIR, PKI_DIR};
use crate::{Error, hole, yaml};

const NAME: &str = "KubeletConfiguration";

/// What is known about the kubelets of a group. Zero values are kubelet's defaults and are not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeletConfiguration {
    /// Addresses of the cluster's DNS service.
    pub cluster_dns: Vec<IpAddr>,
    /// DNS domain of the cluster.
    pub cluster_domain: String,
    /// `systemd`, `cgroupfs` or the hole; must be the runtime's.
    pub cgroup_driver: String,
    /// The resolv.conf that pods inherit, or the hole.
    pub resolv_conf: String,
    /// Ask the cluster for a serving certificate instead of signing one itself.
    pub server_tls_bootstrap: bool,
    /// The runtime's default seccomp profile for pods that name none.
    pub seccomp_default: bool,
    /// Resources kept for Kubernetes' own programs.
    pub kube_reserved: BTreeMap<String, String>,
    /// Resources kept for the system.
    pub system_reserved: BTreeMap<String, String>,
    /// Feature gates by name.
    pub feature_gates: BTreeMap<String, bool>,
    /// The way of making a cluster that holds.
    pub edition: Edition,
    /// What the machines are made of.
    pub platform: NodePlatform,
    /// The user's fields of KubeletConfiguration, cluster first, group last; later ones win, null removes.
    pub layers: Vec<Map<String, Value>>,
}

impl KubeletConfiguration {
    /// kubeadm's defaults; cgroup driver and resolv.conf are holes.
    pub fn new(cluster_dns: Vec<IpAddr>, cluster_domain: impl Into<String>) -> Self {
        Self {
            cluster_dns,
            cluster_domain: cluster_domain.into(),
            cgroup_driver: hole::CGROUP_DRIVER.to_owned(),
            resolv_conf: hole::RESOLV_CONF.to_owned(),
            server_tls_bootstrap: false,
            seccomp_default: false,
            kube_reserved: BTreeMap::new(),
            system_reserved: BTreeMap::new(),
            feature_gates: BTreeMap::new(),
            edition: Edition::NEWEST,
            platform: NodePlatform::own_kernel(),
            layers: Vec::new(),
        }
    }
}

/// The document with its layers merged.
pub fn config_value(input: &KubeletConfiguration) -> Result<Value, Error> {
    let mut value = yaml::to_value(&document(input), NAME)?;
    for layer in &input.layers {
        yaml::merge(&mut value, &Value::Object(layer.clone()));
    }
    Ok(value)
}

/// The file `config.yaml`.
pub fn config(input: &KubeletConfiguration) -> Result<String, Error> {
    yaml::to_text(&config_value(input)?)
}

/// Reads such a file, or one of an earlier release; nothing where it is none.
pub fn read(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

/// The text in the ConfigMap `kubelet-config`: what all machines share, so without the socket and unfilled holes.
pub fn config_map_text(input: &KubeletConfiguration) -> Result<String, Error> {
    let mut value = config_value(input)?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("containerRuntimeEndpoint");
        fields.retain(|_, field| !field.as_str().is_some_and(hole::is_in));
    }
    yaml::to_text(&value)
}

/// The file `instance-config.yaml`, which `kubeadm upgrade` lays over the cluster's configuration.
pub fn instance_config() -> Result<String, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct InstanceConfig {
        container_runtime_endpoint: &'static str,
    }
    yaml::typed_to_text(&InstanceConfig { container_runtime_endpoint: CONTAINERD_ENDPOINT }, "instance-config")
}

/// The fields of `kubelet.config.k8s.io/v1beta1` that kubewright sets itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: &'static str,
    kind: &'static str,
    authentication: Authentication,
    authorization: Authorization,
    cgroup_driver: String,
    #[serde(rename = "clusterDNS")]
    cluster_dns: Vec<IpAddr>,
    cluster_domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_log_max_files: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_log_max_size: Option<&'static str>,
    container_runtime_endpoint: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    eviction_hard: BTreeMap<&'static str, &'static str>,
    #[serde(rename = "failCgroupV1", skip_serializing_if = "Option::is_none")]
    fail_cgroup_v1: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_swap_on: Option<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    feature_gates: BTreeMap<String, bool>,
    healthz_bind_address: &'static str,
    healthz_port: u16,
    #[serde(rename = "imageGCHighThresholdPercent", skip_serializing_if = "Option::is_none")]
    image_gc_high_threshold_percent: Option<u8>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    kube_reserved: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_storage_capacity_isolation: Option<bool>,
    resolv_conf: String,
    rotate_certificates: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seccomp_default: Option<bool>,
    #[serde(rename = "serverTLSBootstrap", skip_serializing_if = "Option::is_none")]
    server_tls_bootstrap: Option<bool>,
    static_pod_path: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    system_reserved: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Authentication {
    anonymous: Enabled,
    webhook: Enabled,
    x509: X509,
}

#[derive(Serialize)]
struct Authorization {
    mode: &'static str,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
struct X509 {
    #[serde(rename = "clientCAFile")]
    client_ca_file: String,
}

fn document(input: &KubeletConfiguration) -> Document {
    let platform = input.platform;
    let mut feature_gates = input.feature_gates.clone();
    if platform.user_namespace {
        feature_gates.entry("KubeletInUserNamespace".to_owned()).or_insert(true);
    }
    let writes_log_limits = input.edition >= Edition::V2;
    Document {
        api_version: "kubelet.config.k8s.io/v1beta1",
        kind: NAME,
        authentication: Authentication {
            anonymous: Enabled { enabled: false },
            webhook: Enabled { enabled: true },
            x509: X509 { client_ca_file: format!("{PKI_DIR}/ca.crt") },
        },
        authorization: Authorization { mode: "Webhook" },
        cgroup_driver: input.cgroup_driver.clone(),
        cluster_dns: input.cluster_dns.clone(),
        cluster_domain: input.cluster_domain.clone(),
        // kubelet's own defaults, written out: that logs are rotated rests on nobody's default.
        container_log_max_files: writes_log_limits.then_some(5),
        container_log_max_size: writes_log_limits.then_some("10Mi"),
        container_runtime_endpoint: CONTAINERD_ENDPOINT,
        eviction_hard: eviction_hard(platform),
        fail_cgroup_v1: (!platform.fail_cgroup_v1).then_some(false),
        fail_swap_on: (!platform.fail_swap_on).then_some(false),
        feature_gates,
        healthz_bind_address: "127.0.0.1",
        healthz_port: 10248,
        // 100 percent full is never reached: kubelet's documented way to turn the collection off.
        image_gc_high_threshold_percent: (!platform.image_garbage_collection).then_some(100),
        kube_reserved: input.kube_reserved.clone(),
        local_storage_capacity_isolation: (!platform.local_storage_capacity_isolation).then_some(false),
        resolv_conf: input.resolv_conf.clone(),
        rotate_certificates: true,
        seccomp_default: input.seccomp_default.then_some(true),
        server_tls_bootstrap: input.server_tls_bootstrap.then_some(true),
        static_pod_path: MANIFESTS_DIR,
        system_reserved: input.system_reserved.clone(),
    }
}

/// Setting one threshold drops kubelet's defaults of all others, so memory is named with its default.
fn eviction_hard(platform: NodePlatform) -> BTreeMap<&'static str, &'static str> {
    if platform.disk_eviction {
        return BTreeMap::new();
    }
    let off = ["imagefs.available", "imagefs.inodesFree", "nodefs.available", "nodefs.inodesFree"];
    off.into_iter().map(|signal| (signal, "0%")).chain([("memory.available", "100Mi")]).collect()
}
