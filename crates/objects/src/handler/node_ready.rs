//! Waiting until a node is ready again after its machine was away.

use std::time::Duration;

use engine::{ActionContext, ActionError, Applied};
use plan::Change;
use resource::{Behaviour, KindSchema};
use serde_json::Value;

use super::node;
use super::site::of_change;
use crate::connection::Connection;
use crate::request::Request;
use crate::wait::Wait;
use crate::{ApiError, Connections, kubelet};

/// How long a machine may take from its boot until its node is ready.
const TIMEOUT: Duration = Duration::from_mins(5);
/// Where kubelets say every ten seconds that they live (`nodeLeaseDurationSeconds`).
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

pub(super) fn schema() -> KindSchema {
    KindSchema::plain("node-ready").rule("access", Behaviour::Computed)
}

/// Waits until the node is ready by the word of a kubelet that lives: for forty seconds after it went away the API still has
/// what it said before. Where the owner brings the pod network, that a kubelet lives is enough: nodes may wait for one.
pub(super) async fn wait(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let connection = of_change(connections, change, context).await?;
    let node = change.resource.name();
    let failed = |error: ApiError| error.while_doing(&format!("cannot see whether node {node} is ready"));
    let mut wait = Wait::new(context, TIMEOUT, Duration::from_millis(500));
    let own_network = change.after.as_ref().is_some_and(|inputs| inputs["ownNetwork"] == true);
    let before = renewed(&connection, node).await.map_err(failed)?;
    loop {
        let now = renewed(&connection, node).await.map_err(failed)?;
        let lives = now.is_some() && now != before;
        if lives && (own_network || is_ready(node::find(&connection, node).await.map_err(failed)?.as_ref())) {
            return Ok(Applied::default());
        }
        wait.say(format!("waiting for node {node} to be ready"));
        if !wait.pause().await? {
            let message =
                format!("node {node} is not ready {} min after its machine was changed", TIMEOUT.as_secs() / 60);
            let hint = format!("Look at its kubelet: {}.", kubelet::journal(&context.cluster, node));
            return Err(ActionError::permanent(message).hint(hint));
        }
    }
}

/// When the node's kubelet last said that it lives; nothing where it never did.
async fn renewed(connection: &Connection, node: &str) -> Result<Option<Value>, ApiError> {
    let lease = connection.find(&Request::get(&format!("{LEASES}/{node}"))).await?;
    Ok(lease.and_then(|lease| lease.pointer("/spec/renewTime").cloned()))
}

fn is_ready(live: Option<&Value>) -> bool {
    let conditions = live.and_then(|live| live.pointer("/status/conditions")).and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use plan::Operation;
    use serde_json::json;

    use super::*;
    use crate::world::{World, access_reference};

    const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/w-1";
    const NODE: &str = "/api/v1/nodes/w-1";

    fn node(ready: &str) -> Value {
        json!({"metadata": {"name": "w-1"}, "status": {"conditions": [{"type": "Ready", "status": ready}]}})
    }

    fn lease(renewed: &str) -> Value {
        json!({"metadata": {"name": "w-1"}, "spec": {"renewTime": renewed}})
    }

    /// A node that was ready before its machine went away.
    fn world() -> World {
        let world = World::new();
        world.fake.state().put(NODE, node("True"));
        world.fake.state().put(LEASE, lease("10:00:00"));
        world
    }

    fn waiting() -> Change {
        World::change(Operation::Run, "node-ready/w-1", None, Some(json!({"access": access_reference()})))
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_kubelet_said_before_it_went_away_counts_for_nothing() {
        let error = world().apply(&waiting()).await.unwrap_err();
        assert!(error.message.contains("node w-1 is not ready 5 min after"), "{}", error.message);
        assert!(error.hint.unwrap().contains("journalctl -u kubelet"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_without_a_pod_network_need_not_be_ready() {
        let world = world();
        world.fake.state().put(NODE, node("False"));
        world.fake.before_request(6, |state| drop(state.put(LEASE, lease("10:00:30"))));
        let inputs = json!({"access": access_reference(), "ownNetwork": true});
        world.apply(&World::change(Operation::Run, "node-ready/w-1", None, Some(inputs))).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_kubelet_that_lives_and_says_that_its_node_is_ready_is_believed() {
        let world = world();
        world.fake.before_request(6, |state| {
            state.put(NODE, node("False"));
            state.put(LEASE, lease("10:00:30"));
        });
        world.fake.before_request(20, |state| drop(state.put(NODE, node("True"))));
        world.apply(&waiting()).await.unwrap();
        assert_eq!(world.notes(), ["waiting for node w-1 to be ready"]);
    }
}
