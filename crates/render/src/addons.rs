//! What runs in every cluster: service proxy, DNS, pod network, volumes, metrics.

pub mod coredns;
pub mod flannel;
pub mod kube_proxy;
pub mod local_path;
pub mod metrics_server;

use serde::Serialize;

use crate::{Error, yaml};

pub(crate) const KUBE_SYSTEM: &str = "kube-system";

/// A kubeconfig that opens the API with the pod's own token.
pub(crate) fn in_cluster_kubeconfig(server: &str) -> Result<String, Error> {
    const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let kubeconfig = Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: [Named {
            name: "default",
            value: Entry::Cluster(Cluster { certificate_authority: format!("{ACCOUNT}/ca.crt"), server }),
        }],
        contexts: [Named {
            name: "default",
            value: Entry::Context(Context { cluster: "default", namespace: "default", user: "default" }),
        }],
        current_context: "default",
        users: [Named { name: "default", value: Entry::User(User { token_file: format!("{ACCOUNT}/token") }) }],
    };
    yaml::typed_to_text(&kubeconfig, "kubeconfig.conf")
}

#[derive(Serialize)]
struct Kubeconfig<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: [Named<'a>; 1],
    contexts: [Named<'a>; 1],
    #[serde(rename = "current-context")]
    current_context: &'static str,
    users: [Named<'a>; 1],
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'static str,
    #[serde(flatten)]
    value: Entry<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Entry<'a> {
    Cluster(Cluster<'a>),
    Context(Context),
    User(User),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster<'a> {
    certificate_authority: String,
    server: &'a str,
}

#[derive(Serialize)]
struct Context {
    cluster: &'static str,
    namespace: &'static str,
    user: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User {
    token_file: String,
}
