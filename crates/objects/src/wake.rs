//! Pods that a new kubelet could not start yet, and a change to them that makes it look again at once.
//!
//! A kubelet gets its first pods before its own list of services was read, refuses to make their environment ("services have
//! not yet been read at least once, cannot construct envvars"), and tries again ten to fifteen seconds later: kubelet's
//! `backOffPeriod` (`pkg/kubelet/kubelet.go`). A pod that changes is looked at when the change arrives.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use resource::Secret;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::field::{list, text};
use crate::request::Request;
use crate::validate::system_namespaces;
use crate::{ApiError, Connections};

/// What kubelet says where its list of services was not read yet (`GetPodEnvVars` in `pkg/kubelet/kubelet_pods.go`).
const UNREAD: &str = "services have not yet been read at least once";
/// The annotation that is changed: how often kubewright asked kubelet to look again.
const ANNOTATION: &str = "kubewright.io/looked-at-again";
/// Time between two looks: little beside kubelet's own next try.
const PAUSE: Duration = Duration::from_secs(1);

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
        let _ = watch(connections, access).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks at what is pending until it cannot be read. Our namespaces are made before anything is waited for.
async fn watch(connections: &Connections, access: &Secret) -> Result<Infallible, ApiError> {
    let connection = connections.open(access)?;
    let namespaces = system_namespaces(&connection).await?;
    loop {
        wake(&connection, &namespaces).await?;
        tokio::time::sleep(PAUSE).await;
    }
}

/// One look, in one request. A pod of which no container could be made is pending.
async fn wake(connection: &Connection, namespaces: &BTreeSet<String>) -> Result<(), ApiError> {
    let pending = connection.list("/api/v1/pods", &[("fieldSelector", "status.phase=Pending")]).await?;
    let is_ours = |pod: &&Value| namespaces.contains(text(pod, "/metadata/namespace"));
    for pod in pending.iter().filter(is_ours).filter(|pod| is_held_up(pod)) {
        wake_one(connection, pod).await?;
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
    async fn each_look_is_one_request_and_changes_what_is_held_up_in_our_namespaces_once_more() {
        let world = World::new();
        let path = |namespace: &str, name: &str| format!("/api/v1/namespaces/{namespace}/pods/{name}");
        let put = |namespace: &str, name: &str, phase: &str, message: &str| {
            let mut pod = pod("containerStatuses", message);
            pod["metadata"] = json!({"name": name, "namespace": namespace});
            pod["status"]["phase"] = json!(phase);
            world.fake.state().put(&path(namespace, name), pod);
        };
        put("kube-system", "held-up", "Pending", UNREAD);
        put("kube-system", "pulls", "Pending", "");
        put("kube-system", "restarts", "Running", UNREAD);
        put("theirs", "held-up", "Pending", UNREAD);
        let connection = world.connections.open(&World::access()).unwrap();
        let namespaces = system_namespaces(&connection).await.unwrap();
        for times in ["1", "2"] {
            let before = world.fake.state().requests.len();
            wake(&connection, &namespaces).await.unwrap();
            let state = world.fake.state();
            let woken = format!("PATCH {}", path("kube-system", "held-up"));
            assert_eq!(state.requests[before..], ["GET /api/v1/pods".to_owned(), woken]);
            let annotations = &state.objects[&path("kube-system", "held-up")]["metadata"]["annotations"];
            assert_eq!(annotations[ANNOTATION], times);
        }
    }
}
