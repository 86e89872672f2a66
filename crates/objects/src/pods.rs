//! The pods of a node: which of them a drain must move, and what holds them.

use serde_json::Value;

use crate::ApiError;
use crate::connection::Connection;
use crate::field::{condition_status, flag, list, text};

/// All pods of a node.
pub(crate) async fn of_node(connection: &Connection, node: &str) -> Result<Vec<Value>, ApiError> {
    connection.list("/api/v1/pods", &[("fieldSelector", &format!("spec.nodeName={node}"))]).await
}

/// What a drain does about one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvictionDecision {
    /// It belongs to the node: a DaemonSet's, or a static pod's mirror.
    Stays,
    /// It must be evicted.
    Goes,
    /// It is on its way out.
    Going,
}

/// What a drain does about a pod.
pub(crate) fn fate(pod: &Value) -> EvictionDecision {
    let is_daemon_set = |owner: &Value| flag(owner, "/controller") && text(owner, "/kind") == "DaemonSet";
    let of_daemon_set = list(pod, "/metadata/ownerReferences").iter().any(is_daemon_set);
    if of_daemon_set || is_mirror(pod) {
        EvictionDecision::Stays
    } else if pod.pointer("/metadata/deletionTimestamp").is_some() {
        EvictionDecision::Going
    } else {
        EvictionDecision::Goes
    }
}

/// Whether it stands for a static pod, which its kubelet keeps running.
pub(crate) fn is_mirror(pod: &Value) -> bool {
    pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some()
}

/// Whether it has run to its end, so that nothing in it is of use any more.
pub(crate) fn is_finished(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"))
}

/// `namespace/name`.
pub(crate) fn full_name(pod: &Value) -> String {
    format!("{}/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"))
}

/// The disruption budget that a refused eviction names, from the messages of its causes.
///
/// The API server says `The disruption budget NAME needs 2 healthy pods and has 2 currently`.
pub(crate) fn budget(causes: &[String]) -> Option<&str> {
    causes.iter().find_map(|cause| {
        let (_, rest) = cause.split_once("disruption budget ")?;
        rest.split_whitespace().next()
    })
}

/// Whether the kubelet of a node still answers, so that pods on it can end properly.
pub(crate) fn is_heard_of(node: &Value) -> bool {
    condition_status(node, "Ready") != "Unknown"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_that_belong_to_the_node_stay() {
        let owned = |kind: &str| json!({"metadata": {"ownerReferences": [{"kind": kind, "controller": true}]}});
        assert_eq!(fate(&owned("DaemonSet")), EvictionDecision::Stays);
        assert_eq!(fate(&owned("ReplicaSet")), EvictionDecision::Goes);
        assert_eq!(
            fate(&json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}})),
            EvictionDecision::Stays
        );
        assert_eq!(fate(&json!({"metadata": {}})), EvictionDecision::Goes);
        assert_eq!(fate(&json!({"metadata": {"deletionTimestamp": "x"}})), EvictionDecision::Going);
    }

    #[test]
    fn the_holding_budget_is_read_from_the_refusal() {
        let causes = ["The disruption budget web needs 2 healthy pods and has 2 currently".to_owned()];
        assert_eq!(budget(&causes), Some("web"));
        assert_eq!(budget(&[]), None);
    }
}
