//! Whether an applied object does its job yet, read from its status.

use serde_json::Value;

use crate::field::{condition, condition_status, text};

/// How far an object has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// It is there with everything it stands for.
    Done,
    /// Not yet; what is missing.
    Waiting(String),
    /// It gave up; why.
    Failed(String),
}

/// How far an object has come. Kinds without a known rollout are done as soon as they exist.
pub(crate) fn rollout(object: &Value) -> Rollout {
    match object.get("kind").and_then(Value::as_str).unwrap_or_default() {
        "Deployment" => deployment(object),
        "DaemonSet" => daemon_set(object),
        "StatefulSet" => stateful_set(object),
        "APIService" => waits_for(object, "Available"),
        "CustomResourceDefinition" => waits_for(object, "Established"),
        "Job" => job(object),
        _ => Rollout::Done,
    }
}

fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// Whether the controller of a workload has seen what was applied last. Other kinds don't say, and count as seen.
pub(crate) fn seen(object: &Value) -> Rollout {
    let is_workload = ["Deployment", "DaemonSet", "StatefulSet"].contains(&text(object, "/kind"));
    if is_workload { unobserved(object).unwrap_or(Rollout::Done) } else { Rollout::Done }
}

fn unobserved(object: &Value) -> Option<Rollout> {
    (number(object, "/status/observedGeneration") < number(object, "/metadata/generation"))
        .then(|| Rollout::Waiting("its controller has not seen it yet".to_owned()))
}

fn deployment(object: &Value) -> Rollout {
    if let Some(waiting) = unobserved(object) {
        return waiting;
    }
    if condition(object, "Progressing").is_some_and(|found| text(found, "/reason") == "ProgressDeadlineExceeded") {
        return Rollout::Failed(message(object, "Progressing"));
    }
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let (updated, available) = (number(object, "/status/updatedReplicas"), number(object, "/status/availableReplicas"));
    let all = number(object, "/status/replicas");
    if updated < wanted {
        Rollout::Waiting(format!("{updated} of {wanted} pods updated"))
    } else if all > updated {
        Rollout::Waiting(format!("{} old pods left", all - updated))
    } else if available < updated {
        Rollout::Waiting(format!("{available} of {wanted} pods available"))
    } else {
        Rollout::Done
    }
}

fn daemon_set(object: &Value) -> Rollout {
    if let Some(waiting) = unobserved(object) {
        return waiting;
    }
    let wanted = number(object, "/status/desiredNumberScheduled");
    let (updated, available) =
        (number(object, "/status/updatedNumberScheduled"), number(object, "/status/numberAvailable"));
    if updated < wanted {
        Rollout::Waiting(format!("{updated} of {wanted} pods updated"))
    } else if available < wanted {
        Rollout::Waiting(format!("{available} of {wanted} pods available"))
    } else {
        Rollout::Done
    }
}

fn stateful_set(object: &Value) -> Rollout {
    if let Some(waiting) = unobserved(object) {
        return waiting;
    }
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let (updated, available) = (number(object, "/status/updatedReplicas"), number(object, "/status/availableReplicas"));
    if updated < wanted || available < wanted {
        Rollout::Waiting(format!("{} of {wanted} pods available", available.min(updated)))
    } else {
        Rollout::Done
    }
}

fn job(object: &Value) -> Rollout {
    if condition_status(object, "Complete") == "True" {
        return Rollout::Done;
    }
    if condition_status(object, "Failed") == "True" {
        return Rollout::Failed(message(object, "Failed"));
    }
    Rollout::Waiting(format!("{} pods running", number(object, "/status/active")))
}

fn waits_for(object: &Value, kind: &str) -> Rollout {
    if condition_status(object, kind) == "True" {
        Rollout::Done
    } else {
        Rollout::Waiting(format!("not {kind} yet: {}", message(object, kind)))
    }
}

fn message(object: &Value, kind: &str) -> String {
    let found = condition(object, kind);
    let words = ["/message", "/reason"].iter().filter_map(|pointer| found.map(|found| text(found, pointer)));
    words.into_iter().find(|words| !words.is_empty()).unwrap_or("no status yet").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_is_done_when_only_new_pods_are_left_and_available() {
        let deployment = |observed: i64, status: Value| {
            let mut object =
                json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status});
            object["status"]["observedGeneration"] = json!(observed);
            rollout(&object)
        };
        let full = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert!(matches!(deployment(1, full.clone()), Rollout::Waiting(_)));
        assert_eq!(deployment(2, full), Rollout::Done);
        let old = json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3});
        assert_eq!(deployment(2, old), Rollout::Waiting("1 old pods left".into()));
        let stuck = json!({"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]});
        assert_eq!(deployment(2, stuck), Rollout::Failed("timed out".into()));
    }

    #[test]
    fn a_daemon_set_waits_for_every_node_it_wants() {
        let set = |available: i64| {
            json!({"kind": "DaemonSet", "metadata": {"generation": 1}, "status": {"observedGeneration": 1,
                "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": available}})
        };
        assert_eq!(rollout(&set(2)), Rollout::Waiting("2 of 3 pods available".into()));
        assert_eq!(rollout(&set(3)), Rollout::Done);
    }

    #[test]
    fn an_api_service_waits_for_its_condition() {
        let service = |status: &str| json!({"kind": "APIService", "status": {"conditions": [{"type": "Available", "status": status, "message": "no endpoints"}]}});
        assert_eq!(rollout(&service("False")), Rollout::Waiting("not Available yet: no endpoints".into()));
        assert_eq!(rollout(&service("True")), Rollout::Done);
        assert_eq!(rollout(&json!({"kind": "ConfigMap"})), Rollout::Done);
    }
}
