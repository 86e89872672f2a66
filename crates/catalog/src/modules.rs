//! The Go modules that recipes build in, with their pinned dependencies.

use crate::recipe::GoModule;

macro_rules! module {
    ($constant:ident, $name:literal, $doc:literal) => {
        #[doc = $doc]
        pub static $constant: GoModule = GoModule {
            name: $name,
            go_mod: include_str!(concat!("../recipes/", $name, "/go.mod")),
            go_sum: include_str!(concat!("../recipes/", $name, "/go.sum")),
        };
    };
}

module!(KUBERNETES_1_34, "kubernetes-1.34", "Kubernetes 1.34.");
module!(KUBERNETES_1_35, "kubernetes-1.35", "Kubernetes 1.35.");
module!(KUBERNETES_1_36, "kubernetes-1.36", "Kubernetes 1.36.");
module!(CONTAINERD, "containerd", "containerd, its client and its shim.");
module!(CRICTL_1_34, "crictl-1.34", "crictl of Kubernetes 1.34.");
module!(CRICTL_1_36, "crictl-1.36", "crictl of Kubernetes 1.36.");
module!(ETCD, "etcd", "etcd, etcdctl and etcdutl.");
module!(CNI_PLUGINS, "cni-plugins", "The CNI plugins.");
module!(FLANNEL_CNI, "flannel-cni", "The CNI plugins as they were when `flannel` was one of them.");
module!(FLANNEL, "flannel", "flannel, from a changed copy.");
module!(COREDNS, "coredns", "CoreDNS.");
module!(METRICS_SERVER, "metrics-server", "metrics-server.");
module!(LOCAL_PATH_PROVISIONER, "local-path-provisioner", "local-path-provisioner.");

/// All modules.
pub static ALL: [&GoModule; 13] = [
    &KUBERNETES_1_34,
    &KUBERNETES_1_35,
    &KUBERNETES_1_36,
    &CONTAINERD,
    &CRICTL_1_34,
    &CRICTL_1_36,
    &ETCD,
    &CNI_PLUGINS,
    &FLANNEL_CNI,
    &FLANNEL,
    &COREDNS,
    &METRICS_SERVER,
    &LOCAL_PATH_PROVISIONER,
];
