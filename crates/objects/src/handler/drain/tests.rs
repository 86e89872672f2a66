//! Drains of nodes with pods, daemons and budgets.

use plan::Operation;

use super::*;
use crate::world::{World, access_reference};

#[test]
fn the_note_says_which_budget_holds_which_pod() {
    let left = BTreeMap::from([
        ("default/a".to_owned(), Held::Ending),
        ("default/b".to_owned(), Held::Budget("web".to_owned())),
    ]);
    assert_eq!(describe(&left), "1 pod is ending (default/a); default/b is held by disruption budget web");
    assert!(advice(&left).contains("relax"));
}

fn world() -> World {
    let world = World::new();
    let mut state = world.fake.state();
    state.put("/api/v1/nodes/w-1", json!({"metadata": {"name": "w-1"}}));
    for (name, node, owner) in [("a", "w-1", "ReplicaSet"), ("b", "w-2", "ReplicaSet"), ("proxy", "w-1", "DaemonSet")] {
        let pod = json!({
            "metadata": {"name": name, "namespace": "n", "ownerReferences": [{"kind": owner, "controller": true}]},
            "spec": {"nodeName": node},
        });
        state.put(&format!("/api/v1/namespaces/n/pods/{name}"), pod);
    }
    drop(state);
    world
}

fn drain() -> plan::Change {
    World::change(Operation::Run, "drain/w-1", None, Some(json!({"access": access_reference()})))
}

#[test]
fn only_a_delete_of_a_node_begins_with_a_drain() {
    let node = ResourceId::new("node", "w-1");
    let delete = plan::Change {
        before: Some(json!({"access": access_reference()})),
        ..plan::Change::new(&node, Operation::Delete, Reason::NoLongerWanted)
    };
    let steps = before_delete(delete.clone());
    assert_eq!(steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["run drain/w-1", "delete node/w-1"]);
    assert_eq!(steps[0].effects, [Effect::Drains { node: "w-1".to_owned() }]);
    assert_eq!(steps[0].before, delete.before, "it is reached as the Node is");
    for operation in [Operation::Create, Operation::Update, Operation::Forget] {
        assert_eq!(before_delete(plan::Change::new(&node, operation, Reason::New)).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn pods_of_the_node_go_and_daemons_stay() {
    let world = world();
    world.apply(&drain()).await.unwrap();
    let state = world.fake.state();
    assert_eq!(state.objects["/api/v1/nodes/w-1"]["spec"]["unschedulable"], true);
    let pods: Vec<&str> =
        state.objects.keys().filter_map(|path| path.strip_prefix("/api/v1/namespaces/n/pods/")).collect();
    assert_eq!(pods, ["b", "proxy"]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_named_and_waited_for() {
    let world = world();
    world.fake.state().budgets.insert("/api/v1/namespaces/n/pods/a".to_owned(), "web".to_owned());
    world.fake.before_request(12, |state| state.budgets.clear());
    world.apply(&drain()).await.unwrap();
    assert_eq!(world.notes(), ["n/a is held by disruption budget web", "1 pod is ending (n/a)"]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_held_for_too_long_fails_with_advice() {
    let world = world();
    world.fake.state().budgets.insert("/api/v1/namespaces/n/pods/a".to_owned(), "web".to_owned());
    let error = world.apply(&drain()).await.unwrap_err();
    assert!(error.message.contains("n/a is held by disruption budget web"), "{}", error.message);
    assert!(error.hint.is_some());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_pods_on_a_dead_node() {
    let world = world();
    let ready = json!([{"type": "Ready", "status": "Unknown"}]);
    world.fake.state().objects.get_mut("/api/v1/nodes/w-1").unwrap()["status"] = json!({"conditions": ready});
    let pod = "/api/v1/namespaces/n/pods/a";
    world.fake.state().objects.get_mut(pod).unwrap()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.apply(&drain()).await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_gone_is_drained() {
    let world = World::new();
    world.apply(&drain()).await.unwrap();
}

#[tokio::test]
async fn an_uncordoned_node_takes_pods_again() {
    let world = world();
    world.fake.state().objects.get_mut("/api/v1/nodes/w-1").unwrap()["spec"] = json!({"unschedulable": true});
    let change = World::change(Operation::Run, "uncordon/w-1", None, Some(json!({"access": access_reference()})));
    world.apply(&change).await.unwrap();
    assert_eq!(world.fake.state().objects["/api/v1/nodes/w-1"]["spec"], json!({}));
}
