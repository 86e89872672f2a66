//! Nodes and pods in the few words that health and tables need.

use serde_json::Value;

use super::{NodeSummary, PodSummary};
use crate::field::{condition, condition_status, flag, list, text};

/// Conditions of a Node that are bad when they are True.
const BAD: &[&str] = &["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

const ROLE: &str = "node-role.kubernetes.io/";

pub(super) fn node_summary(node: &Value) -> NodeSummary {
    let conditions = list(node, "/status/conditions");
    let ready = condition(node, "Ready");
    let is_true = |condition: &Value| text(condition, "/status") == "True";
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let roles = labels.into_iter().flatten().filter_map(|(name, _)| name.strip_prefix(ROLE)).map(str::to_owned);
    let addresses = list(node, "/status/addresses");
    let internal = addresses.iter().find(|address| text(address, "/type") == "InternalIP");
    let info = |name: &str| text(node, &format!("/status/nodeInfo/{name}")).to_owned();
    let allocatable = |name: &str| text(node, &format!("/status/allocatable/{name}")).to_owned();
    NodeSummary {
        name: text(node, "/metadata/name").to_owned(),
        ready: ready.is_some_and(is_true),
        reason: match ready {
            Some(condition) if is_true(condition) => String::new(),
            Some(condition) => text(condition, "/message").to_owned(),
            None => "its kubelet has not reported yet".to_owned(),
        },
        pressures: conditions
            .iter()
            .filter(|condition| is_true(condition) && BAD.contains(&text(condition, "/type")))
            .map(|condition| text(condition, "/type").to_owned())
            .collect(),
        unschedulable: flag(node, "/spec/unschedulable"),
        roles: roles.collect(),
        kubelet: info("kubeletVersion"),
        runtime: info("containerRuntimeVersion"),
        kernel: info("kernelVersion"),
        os: info("osImage"),
        address: internal.map(|address| text(address, "/address").to_owned()).unwrap_or_default(),
        cpu: allocatable("cpu"),
        memory: allocatable("memory"),
        created: text(node, "/metadata/creationTimestamp").to_owned(),
        heartbeat: ready.map(|condition| text(condition, "/lastHeartbeatTime").to_owned()).unwrap_or_default(),
    }
}

pub(super) fn pod_summary(pod: &Value) -> PodSummary {
    let phase = text(pod, "/status/phase");
    let ready = phase == "Succeeded" || condition_status(pod, "Ready") == "True";
    let containers: Vec<&Value> = ["/status/initContainerStatuses", "/status/containerStatuses"]
        .iter()
        .flat_map(|pointer| list(pod, pointer))
        .collect();
    let restarts = containers.iter().filter_map(|container| container.get("restartCount")?.as_i64()).sum();
    PodSummary {
        namespace: text(pod, "/metadata/namespace").to_owned(),
        name: text(pod, "/metadata/name").to_owned(),
        node: text(pod, "/spec/nodeName").to_owned(),
        ready,
        reason: if ready { String::new() } else { reason(pod, &containers) },
        restarts,
    }
}

fn reason(pod: &Value, containers: &[&Value]) -> String {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    let waiting =
        containers.iter().map(|container| text(container, "/state/waiting/reason")).find(|why| !why.is_empty());
    let unscheduled = condition(pod, "PodScheduled").filter(|condition| text(condition, "/status") == "False");
    let unschedulable =
        || unscheduled.map(|condition| text(condition, "/message")).filter(|message| !message.is_empty());
    waiting.or_else(unschedulable).unwrap_or_else(|| text(pod, "/status/phase")).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_is_summed_up() {
        let node = json!({
            "metadata": {"name": "cp-1", "labels": {"node-role.kubernetes.io/control-plane": "", "x": "y"}},
            "status": {
                "conditions": [
                    {"type": "DiskPressure", "status": "True"},
                    {"type": "Ready", "status": "False", "message": "cni plugin not initialized", "lastHeartbeatTime": "t"},
                ],
                "addresses": [{"type": "Hostname", "address": "cp-1"}, {"type": "InternalIP", "address": "10.0.0.2"}],
                "nodeInfo": {"kubeletVersion": "v1.36.3"},
            },
        });
        let summary = node_summary(&node);
        assert_eq!((summary.ready, summary.reason.as_str()), (false, "cni plugin not initialized"));
        assert_eq!(summary.pressures, ["DiskPressure"]);
        assert_eq!(summary.roles, ["control-plane"]);
        assert_eq!((summary.address.as_str(), summary.kubelet.as_str()), ("10.0.0.2", "v1.36.3"));
    }

    #[test]
    fn a_pod_says_why_it_is_not_ready() {
        let crashing = json!({"status": {"phase": "Running", "containerStatuses": [
            {"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        let summary = pod_summary(&crashing);
        assert_eq!((summary.ready, summary.reason.as_str(), summary.restarts), (false, "CrashLoopBackOff", 2));
        let pending = json!({"status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}});
        assert_eq!(pod_summary(&pending).reason, "0/1 nodes are available");
        assert!(pod_summary(&json!({"status": {"phase": "Succeeded"}})).ready);
    }
}
