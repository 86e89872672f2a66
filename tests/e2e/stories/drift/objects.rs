//! What kubewright manages in the API, and its changes from outside.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::preview::Changes;
use crate::world::World;

/// kubectl's words for every kind that a cluster's objects are of.
const KINDS: &str = "clusterroles,clusterrolebindings,roles,rolebindings,configmaps,namespaces,services,\
                     serviceaccounts,storageclasses,deployments,daemonsets,poddisruptionbudgets";
const RBAC: &str = "object/rbac.authorization.k8s.io/v1";

/// Changes a label of every object.
pub(super) fn relabel(world: &World, recorded: &BTreeMap<String, Value>) -> Changes {
    let label = "app.kubernetes.io/managed-by";
    let (old, new) = (format!("{label}=kubewright"), format!("{label}=somebody"));
    world.kubectl(&["label", "--overwrite", KINDS, "--all-namespaces", "--selector", &old, &new]);
    let objects = recorded.keys().filter(|id| id.starts_with("object/"));
    let field = BTreeSet::from([format!("manifest metadata labels {label}")]);
    objects.map(|id| (format!("update {id}"), field.clone())).collect()
}

/// An object, a merge patch, and the field that a preview must name.
type Patch = (&'static str, &'static str, &'static str, &'static str);

/// One of each kind: resource, kubectl's words, patch, field.
const PATCHES: [Patch; 12] = [
    (
        "node/control-plane-1",
        "node/control-plane-1",
        r#"{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":null}}}"#,
        "labels node-role.kubernetes.io/control-plane",
    ),
    ("{RBAC}/ClusterRole/_/kubeadm:get-nodes", "clusterrole/kubeadm:get-nodes", r#"{"rules":[]}"#, "manifest rules"),
    (
        "{RBAC}/ClusterRoleBinding/_/kubeadm:get-nodes",
        "clusterrolebinding/kubeadm:get-nodes",
        r#"{"subjects":[]}"#,
        "manifest subjects",
    ),
    ("{RBAC}/Role/kube-system/kube-proxy", "-n kube-system role/kube-proxy", r#"{"rules":[]}"#, "manifest rules"),
    (
        "{RBAC}/RoleBinding/kube-system/kube-proxy",
        "-n kube-system rolebinding/kube-proxy",
        r#"{"subjects":[]}"#,
        "manifest subjects",
    ),
    (
        "object/v1/ConfigMap/kube-system/kubelet-config",
        "-n kube-system configmap/kubelet-config",
        r#"{"data":{"kubelet":"changed"}}"#,
        "manifest data kubelet",
    ),
    (
        "object/v1/Namespace/_/kube-flannel",
        "namespace/kube-flannel",
        r#"{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}"#,
        "manifest metadata labels pod-security.kubernetes.io/enforce",
    ),
    (
        "object/v1/Service/kube-system/kube-dns",
        "-n kube-system service/kube-dns",
        r#"{"spec":{"selector":{"k8s-app":"changed"}}}"#,
        "manifest spec selector k8s-app",
    ),
    (
        "object/v1/ServiceAccount/kube-system/coredns",
        "-n kube-system serviceaccount/coredns",
        r#"{"metadata":{"annotations":{"kubewright.io/owner":"changed"}}}"#,
        "manifest metadata annotations kubewright.io/owner",
    ),
    (
        "object/storage.k8s.io/v1/StorageClass/_/local-path",
        "storageclass/local-path",
        r#"{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"false"}}}"#,
        "manifest metadata annotations storageclass.kubernetes.io/is-default-class",
    ),
    (
        "object/apps/v1/Deployment/kube-system/coredns",
        "-n kube-system deployment/coredns",
        r#"{"spec":{"replicas":1}}"#,
        "manifest spec replicas",
    ),
    (
        "object/apps/v1/DaemonSet/kube-system/kube-proxy",
        "-n kube-system daemonset/kube-proxy",
        r#"{"spec":{"template":{"spec":{"priorityClassName":"system-cluster-critical"}}}}"#,
        "manifest spec template spec priorityClassName",
    ),
];

/// Changes one object of each kind.
pub(super) fn patch(world: &World) -> Changes {
    let change = |(resource, object, patch, field): &Patch| {
        let words: Vec<&str> = object.split(' ').collect();
        world.kubectl(&[&["patch", "--type", "merge", "--patch", patch], words.as_slice()].concat());
        (format!("update {}", resource.replace("{RBAC}", RBAC)), BTreeSet::from([(*field).to_owned()]))
    };
    PATCHES.iter().map(change).collect()
}

/// Objects of one place, as kubectl and as kubewright name them.
type Deleted = (&'static [&'static str], &'static [&'static str]);

/// One of each kind, save Namespaces, with which everything in them goes.
const DELETED: [Deleted; 4] = [
    (
        &["clusterrole/flannel", "clusterrolebinding/flannel", "storageclass/local-path"],
        &[
            "{RBAC}/ClusterRole/_/flannel",
            "{RBAC}/ClusterRoleBinding/_/flannel",
            "object/storage.k8s.io/v1/StorageClass/_/local-path",
        ],
    ),
    (
        &[
            "-n",
            "kube-public",
            "role/kubeadm:bootstrap-signer-clusterinfo",
            "rolebinding/kubeadm:bootstrap-signer-clusterinfo",
        ],
        &[
            "{RBAC}/Role/kube-public/kubeadm:bootstrap-signer-clusterinfo",
            "{RBAC}/RoleBinding/kube-public/kubeadm:bootstrap-signer-clusterinfo",
        ],
    ),
    (
        &["-n", "kube-system", "configmap/coredns", "service/kube-dns", "daemonset/kube-proxy"],
        &[
            "object/v1/ConfigMap/kube-system/coredns",
            "object/v1/Service/kube-system/kube-dns",
            "object/apps/v1/DaemonSet/kube-system/kube-proxy",
        ],
    ),
    (
        &[
            "-n",
            "local-path-storage",
            "deployment/local-path-provisioner",
            "serviceaccount/local-path-provisioner-service-account",
        ],
        &[
            "object/apps/v1/Deployment/local-path-storage/local-path-provisioner",
            "object/v1/ServiceAccount/local-path-storage/local-path-provisioner-service-account",
        ],
    ),
];

/// Deletes one object of each kind.
pub(super) fn delete(world: &World) -> Changes {
    let mut expected = Changes::new();
    for (words, resources) in DELETED {
        world.kubectl(&[&["delete"], words].concat());
        expected.extend(resources.iter().map(|id| (format!("create {}", id.replace("{RBAC}", RBAC)), BTreeSet::new())));
    }
    expected
}
