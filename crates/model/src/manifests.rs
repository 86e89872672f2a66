//! The user's own objects, in the order in which a cluster takes them.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Desired, ResourceId};
use serde_json::Value;

use crate::builder::Builder;
use crate::{Resolved, ids, in_cluster};

/// Groups whose kinds are known to live in namespaces, unless they are listed below.
const BUILT_IN: [&str; 10] = [
    "",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
];
const CLUSTER_WIDE: [&str; 8] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "IPAddress",
    "IngressClass",
    "Namespace",
    "Node",
    "PersistentVolume",
    "ServiceCIDR",
];
/// Says that an object is of the user's manifests, and of which: what is the user's is not ours to judge, nor to lose.
const MANIFEST: &str = "kubewright.io/manifest";
/// Kinds that start pods.
const WORKLOADS: [&str; 7] = ["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"];

/// When an object's turn is: what comes later may need what comes earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Namespace,
    Definition,
    Plain,
    Workload,
    /// Webhooks stop everything as long as their pods don't run, and objects of own kinds may need webhooks.
    Last,
}

/// The objects of all manifests with their ids. Validation refuses one that is there twice; what an earlier release stored may
/// hold some, and the last one holds, as it did then.
pub(crate) fn objects(resolved: &Resolved) -> BTreeMap<ResourceId, Value> {
    let manifests = &resolved.cluster.spec.addons.manifests;
    let objects = |manifest: &spec::Manifest| {
        let named = |mut object: Value| {
            object["metadata"]["annotations"][MANIFEST] = manifest.name.as_str().into();
            object
        };
        spec::manifest_objects(&manifest.content).into_iter().map(named).collect::<Vec<_>>()
    };
    let all = manifests.iter().flat_map(objects).map(in_namespace);
    all.map(|object| (in_cluster::id(&object), object)).collect()
}

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) {
    let objects = objects(resolved);
    let turns: BTreeSet<(Turn, ResourceId)> = objects.iter().map(|(id, object)| (turn(object), id.clone())).collect();
    for (id, object) in objects {
        let turn = turn(&object);
        let mut desired: Desired = in_cluster::object(resolved, id, object);
        // Each turn waits for the one before it that has anything; that one waits for those before.
        let before = turns.iter().map(|(turn, _)| *turn).filter(|earlier| *earlier < turn).max();
        let needed = turns.iter().filter(|(earlier, _)| Some(*earlier) == before).map(|(_, id)| id.clone());
        desired.depends_on.extend(needed);
        if turn == Turn::Workload {
            // Taints must be there first, or pods settle on control planes.
            desired.depends_on.extend(resolved.control_planes().map(|machine| ids::node(&machine.name)));
        }
        builder.add(desired);
    }
}

fn turn(object: &Value) -> Turn {
    let (group, kind) = (group(object), object["kind"].as_str().unwrap_or_default());
    match kind {
        "Namespace" if group.is_empty() => Turn::Namespace,
        "CustomResourceDefinition" => Turn::Definition,
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => Turn::Last,
        kind if WORKLOADS.contains(&kind) && BUILT_IN.contains(&group) => Turn::Workload,
        _ if BUILT_IN.contains(&group) || group.ends_with(".k8s.io") => Turn::Plain,
        _ => Turn::Last,
    }
}

fn group(object: &Value) -> &str {
    object["apiVersion"].as_str().and_then(|version| version.rsplit_once('/')).map_or("", |(group, _)| group)
}

/// What lives in a namespace and names none lives in `default`.
fn in_namespace(mut object: Value) -> Value {
    let is_namespaced = BUILT_IN.contains(&group(&object)) && !CLUSTER_WIDE.iter().any(|kind| object["kind"] == *kind);
    if is_namespaced && object["metadata"].get("namespace").is_none() {
        object["metadata"]["namespace"] = "default".into();
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_has_its_turn() {
        let turn = |api_version: &str, kind: &str| turn(&json!({"apiVersion": api_version, "kind": kind}));
        assert_eq!(turn("v1", "Namespace"), Turn::Namespace);
        assert_eq!(turn("apiextensions.k8s.io/v1", "CustomResourceDefinition"), Turn::Definition);
        assert_eq!(turn("storage.k8s.io/v1", "StorageClass"), Turn::Plain);
        assert_eq!(turn("batch/v1", "Job"), Turn::Workload);
        assert_eq!(turn("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"), Turn::Last);
        assert_eq!(turn("example.org/v1", "Deployment"), Turn::Last);
    }

    #[test]
    fn objects_without_a_namespace_live_in_the_default_one_where_their_kind_does() {
        let namespace = |api_version: &str, kind: &str| {
            let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}});
            in_namespace(object)["metadata"].get("namespace").cloned()
        };
        assert_eq!(namespace("v1", "ConfigMap"), Some("default".into()));
        assert_eq!(namespace("rbac.authorization.k8s.io/v1", "ClusterRole"), None);
        assert_eq!(namespace("example.org/v1", "Widget"), None);
    }
}
