//! Ids of all resources and references to their outputs, in one place.

use catalog::Image;
use resource::{Reference, ResourceId};

/// A certificate authority: `kubernetes`, `etcd` or `front-proxy`.
pub fn authority(name: &str) -> ResourceId {
    ResourceId::new("authority", name)
}

/// The key pair that signs service account tokens.
pub fn service_account_key() -> ResourceId {
    ResourceId::new("key-pair", "service-account")
}

/// A machine's certificate.
pub fn certificate(machine: &str, name: &str) -> ResourceId {
    ResourceId::new("certificate", &format!("{machine}/{name}"))
}

/// kubewright's own client certificate.
pub fn operator_certificate() -> ResourceId {
    ResourceId::new("certificate", "operator")
}

/// A machine's kubeconfig.
pub fn kubeconfig(machine: &str, name: &str) -> ResourceId {
    ResourceId::new("kubeconfig", &format!("{machine}/{name}"))
}

/// What anyone may know of a cluster: where its API is, and whom to trust.
pub fn cluster_info(cluster: &str) -> ResourceId {
    ResourceId::new("cluster-info", cluster)
}

/// The API server's encryption configuration.
pub fn encryption_config() -> ResourceId {
    ResourceId::new("encryption-config", "api-server")
}

/// What kubelets show to registries.
pub fn registry_logins(cluster: &str) -> ResourceId {
    ResourceId::new("registry-logins", cluster)
}

/// The SSH key of a machine, or of the `operator`.
pub fn ssh_key(name: &str) -> ResourceId {
    ResourceId::new("ssh-key", name)
}

/// What a machine must be.
pub fn machine_config(name: &str) -> ResourceId {
    ResourceId::new("machine-config", name)
}

/// A container image that a machine gets after its birth.
pub fn image(machine: &str, image: Image) -> ResourceId {
    let name = image.asset().trim_start_matches("image-");
    ResourceId::new("image", &format!("{machine}/{name}"))
}

/// A worker's first client certificate.
pub fn node_bootstrap(name: &str) -> ResourceId {
    ResourceId::new("node-bootstrap", name)
}

/// The Kubernetes API as a whole.
pub fn cluster(name: &str) -> ResourceId {
    ResourceId::new("cluster", name)
}

/// The Node object of a machine.
pub fn node(name: &str) -> ResourceId {
    ResourceId::new("node", name)
}

/// Waiting until a node is ready again.
pub fn node_ready(name: &str) -> ResourceId {
    ResourceId::new("node-ready", name)
}

/// The serving certificate of a machine's kubelet.
pub fn serving_certificate(name: &str) -> ResourceId {
    ResourceId::new("serving-certificate", name)
}

/// An object in the cluster.
pub fn object(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> ResourceId {
    ResourceId::new("object", &format!("{api_version}/{kind}/{}/{name}", namespace.unwrap_or("_")))
}

/// A reference to an output.
pub fn output(id: ResourceId, name: &str) -> Reference {
    Reference::new(id, name)
}
