//! kubeadm's ConfigMaps: how the cluster was made, what kubelets share, and how a stranger finds the cluster.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Serialize;
use serde_json::{Value, json};

use crate::addons::KUBE_SYSTEM;
use crate::kubeadm::{ClusterConfiguration, cluster_configuration};
use crate::kubelet::{KubeletConfiguration, config_map_text};
use crate::{Error, shape, yaml};

/// ConfigMap `kubeadm-config`.
pub fn kubeadm_config(input: &ClusterConfiguration) -> Result<Value, Error> {
    config_map(KUBE_SYSTEM, "kubeadm-config", "ClusterConfiguration", cluster_configuration(input)?)
}

/// ConfigMap `kubelet-config`.
pub fn kubelet_config(input: &KubeletConfiguration) -> Result<Value, Error> {
    config_map(KUBE_SYSTEM, "kubelet-config", "kubelet", config_map_text(input)?)
}

/// ConfigMap `cluster-info`; the controller manager adds a signature per bootstrap token to it.
pub fn cluster_info(kubeconfig: &Value) -> Result<Value, Error> {
    let mut value = config_map("kube-public", "cluster-info", "kubeconfig", String::new())?;
    if let Some(data) = value.pointer_mut("/data") {
        *data = json!({"kubeconfig": kubeconfig});
    }
    Ok(value)
}

/// The kubeconfig in `cluster-info`: where the API is and who signs for it, without a user.
pub fn cluster_info_kubeconfig(server: &str, authority_pem: &str) -> Result<String, Error> {
    let kubeconfig = Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: [Named {
            cluster: Cluster { certificate_authority_data: STANDARD.encode(authority_pem), server },
            name: "",
        }],
        contexts: None,
        current_context: "",
        users: None,
    };
    yaml::typed_to_text(&kubeconfig, "cluster-info")
}

fn config_map(namespace: &str, name: &str, key: &str, text: String) -> Result<Value, Error> {
    let config_map = ConfigMap {
        metadata: shape::namespaced(namespace, name, &[]),
        data: Some(BTreeMap::from([(key.to_owned(), text)])),
        ..ConfigMap::default()
    };
    shape::object(name, &config_map)
}

#[derive(Serialize)]
struct Kubeconfig<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: [Named<'a>; 1],
    contexts: Option<()>,
    #[serde(rename = "current-context")]
    current_context: &'static str,
    users: Option<()>,
}

#[derive(Serialize)]
struct Named<'a> {
    cluster: Cluster<'a>,
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster<'a> {
    certificate_authority_data: String,
    server: &'a str,
}
