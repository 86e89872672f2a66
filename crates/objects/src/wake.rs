//! Pods that a new kubelet could not start yet, and a change to them that makes it look again at once.
//!
//! A kubelet gets its first pods before its own list of services was read, refuses to make their environment ("services have
//! not yet been read at least once, cannot construct envvars"), and tries again ten to fifteen seconds later: kubelet's
//! `backOffPeriod` (`pkg/kubelet/kubelet.go`). A pod that changes is looked at when the change arrives.

use std::time::Duration;

use resource::Secret;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::field::{list, text};
use crate::request::Request;
use crate::validate::system_pods;
use crate::{ApiError, Connections};

/// What kubelet says where its list of services was not read yet (`GetPodEnvVars` in `pkg/kubelet/kubelet_pods.go`).
const UNREAD: &str = "services have not yet been read at least once";
/// The annotation that is changed: how often kubewright asked kubelet to look again.
const ANNOTATION: &str = "kubewright.io/looked-at-again";
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a pod waits for nothing but its kubelet's next look.
fn is_held_up(pod: &Value) -> bool {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut messages = statuses.iter().flat_map(|field| list(pod, field));
    messages.any(|status| text(status, "/state/waiting/message").contains(UNREAD))
}

/// How often it was woken so far.
fn times(pod: &Value) -> u64 {
    let annotations = pod.pointer("/metadata/annotations").and_then(|annotations| annotations.get(ANNOTATION));
    annotations.and_then(Value::as_str).and_then(|times| times.parse().ok()).unwrap_or_default()
}

/// Makes kubelets look again at system pods that they could not start yet. Ends only when it is dropped.
///
/// What it cannot read or change it leaves to kubelet's own next try.
pub async fn keep_waking(connections: &Connections, access: &Secret) {
    loop {
        let _ = wake(connections, access).await;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn wake(connections: &Connections, access: &Secret) -> Result<(), ApiError> {
    let connection = connections.open(access)?;
    let pods = system_pods(&connection).await?;
    for pod in pods.iter().filter(|pod| is_held_up(pod)) {
        wake_one(&connection, pod).await?;
    }
    Ok(())
}

async fn wake_one(connection: &Connection, pod: &Value) -> Result<(), ApiError> {
    let path = format!("/api/v1/namespaces/{}/pods/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let patch = json!({"metadata": {"annotations": {ANNOTATION: (times(pod) + 1).to_string()}}});
    connection.send(&Request::merge(&path, patch)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::World;

    fn pod(field: &str, message: &str) -> Value {
        let waiting = json!({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": message}}});
        json!({"metadata": {"name": "kube-proxy-1", "namespace": "kube-system"}, "status": {field: [waiting]}})
    }

    #[test]
    fn only_what_waits_for_a_list_of_services_is_woken() {
        let message = "services have not yet been read at least once, cannot construct envvars";
        assert!(is_held_up(&pod("containerStatuses", message)) && is_held_up(&pod("initContainerStatuses", message)));
        assert!(!is_held_up(&pod("containerStatuses", "configmap \"x\" not found")));
        assert!(!is_held_up(&json!({"metadata": {"name": "new"}})));
    }

    #[tokio::test]
    async fn each_look_changes_a_pod_that_is_held_up_once_more_and_no_other() {
        let world = World::new();
        let path = |name: &str| format!("/api/v1/namespaces/kube-system/pods/{name}");
        let held_up =
            pod("containerStatuses", "services have not yet been read at least once, cannot construct envvars");
        world.fake.state().put(&path("kube-proxy-1"), held_up);
        let other = json!({"metadata": {"name": "other", "namespace": "kube-system"}});
        world.fake.state().put(&path("other"), other);
        let connections = Connections::with_dial(Arc::new(world.fake.clone()));
        for times in ["1", "2"] {
            wake(&connections, &World::access()).await.unwrap();
            let state = world.fake.state();
            assert_eq!(state.objects[&path("kube-proxy-1")]["metadata"]["annotations"][ANNOTATION], times);
            assert_eq!(state.objects[&path("other")]["metadata"].get("annotations"), None);
        }
    }
}
