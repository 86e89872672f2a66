//! kubeadm's roles and bindings: administrators, joining nodes, certificates of kubelets.

use serde_json::Value;

use super::{CLUSTER_ADMINS_GROUP, NODE_BOOTSTRAP_GROUP};
use crate::addons::KUBE_SYSTEM;
use crate::{Error, shape};

const KUBE_PUBLIC: &str = "kube-public";
const NODES_GROUP: &str = "system:nodes";

/// All of kubeadm's roles and bindings, save those that belong to an addon.
pub fn rbac() -> Result<Vec<Value>, Error> {
    let mut objects = cluster_wide()?;
    objects.extend(of_config_maps()?);
    Ok(objects)
}

fn cluster_wide() -> Result<Vec<Value>, Error> {
    let get_nodes = "kubeadm:get-nodes";
    let nodes = shape::rule(&[""], &["nodes"], &["get"]);
    let joining = || vec![shape::group(NODE_BOOTSTRAP_GROUP)];
    let signing = |usage: &str| format!("system:certificates.k8s.io:certificatesigningrequests:{usage}");
    let binding = shape::cluster_role_binding;
    Ok(vec![
        shape::object(
            "rbac",
            &binding(CLUSTER_ADMINS_GROUP, "cluster-admin", vec![shape::group(CLUSTER_ADMINS_GROUP)]),
        )?,
        shape::object(
            "rbac",
            // New in kubeadm 1.36: the client certificate has no group of its own any more. Harmless before.
            &binding(
                "kubeadm:apiserver-kubelet-client",
                "system:kubelet-api-admin",
                vec![shape::user("kube-apiserver-kubelet-client")],
            ),
        )?,
        shape::object("rbac", &shape::cluster_role(get_nodes, &[], vec![nodes]))?,
        shape::object("rbac", &binding(get_nodes, get_nodes, joining()))?,
        shape::object("rbac", &binding("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", joining()))?,
        shape::object("rbac", &binding("kubeadm:node-autoapprove-bootstrap", &signing("nodeclient"), joining()))?,
        shape::object(
            "rbac",
            &binding(
                "kubeadm:node-autoapprove-certificate-rotation",
                &signing("selfnodeclient"),
                vec![shape::group(NODES_GROUP)],
            ),
        )?,
    ])
}

fn of_config_maps() -> Result<Vec<Value>, Error> {
    let signer = "kubeadm:bootstrap-signer-clusterinfo";
    let readers = || vec![shape::group(NODES_GROUP), shape::group(NODE_BOOTSTRAP_GROUP)];
    let triples = [
        (KUBE_SYSTEM, "kubeadm:kubelet-config", "kubelet-config", readers()),
        (KUBE_SYSTEM, "kubeadm:nodes-kubeadm-config", "kubeadm-config", readers()),
        (KUBE_PUBLIC, signer, "cluster-info", vec![shape::user("system:anonymous")]),
    ];
    let mut objects = Vec::new();
    for (namespace, name, config_map, subjects) in triples {
        let rule = shape::rule_for("configmaps", config_map, &["get"]);
        objects.push(shape::object("rbac", &shape::role(namespace, name, vec![rule]))?);
        objects.push(shape::object("rbac", &shape::role_binding(namespace, name, name, subjects))?);
    }
    Ok(objects)
}
