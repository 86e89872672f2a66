//! Drains of nodes with pods, daemons and budgets.

use plan::Operation;

use super::*;
use crate::world::{World, access_reference};

#[test]
fn the_note_says_which_budget_holds_which_pod() {
    let left = BTreeMap::from([
        ("default/a".to_owned(), Blocked::Ending),
        ("default/b".to_owned(), Blocked::Budget("web".to_owned())),
    ]);
    assert_eq!(describe(&left), "1 pod is ending (default/a); default/b is held by disruption budget web");
    assert!(advice(&left).contains("relax"));
}

fn world() -> World {
    let world = World::new();
    let mut state = world.fake.state();
    state.put("/api/v1/nodes/w-1", json!({"metadata": {"name": "w-1"}}));
    let set = json!({"metadata": {"name": "web", "namespace": "n", "uid": "uid-of-web"}});
    state.put("/apis/apps/v1/namespaces/n/replicasets/web", set);
    for (name, node, owner) in [("a", "w-1", "ReplicaSet"), ("b", "w-2", "ReplicaSet"), ("proxy", "w-1", "DaemonSet")] {
        let owner =
            json!({"apiVersion": "apps/v1", "kind": owner, "name": "web", "uid": "uid-of-web", "controller": true});
        let pod = json!({
            "metadata": {"name": name, "namespace": "n", "ownerReferences": [owner]},
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
    world.fake.before_request(22, |state| state.budgets.clear());
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

const BARE: &str = "/api/v1/namespaces/n/pods/bare";

fn bare() -> Value {
    json!({"metadata": {"name": "bare", "namespace": "n"}, "spec": {"nodeName": "w-1"}})
}

fn drain_with(consents: Value) -> plan::Change {
    let mut inputs = json!({"access": access_reference(), "node": "w-1", "group": "w"});
    inputs.as_object_mut().unwrap().extend(consents.as_object().unwrap().clone());
    World::change(Operation::Run, "drain/w-1", None, Some(inputs))
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_came_after_the_preview_is_not_lost_without_consent() {
    let world = world();
    world.fake.state().put(BARE, bare());
    let error = world.apply(&drain_with(json!({}))).await.unwrap_err();
    assert_eq!(error.message, "node w-1 is not drained: that would lose for good pod n/bare");
    let hint = error.hint.unwrap();
    assert!(hint.contains("--instance-group w spec.drain.force=true`"), "{hint}");
    {
        let state = world.fake.state();
        assert!(state.objects.contains_key("/api/v1/namespaces/n/pods/a"), "nothing is evicted");
        assert_eq!(state.objects["/api/v1/nodes/w-1"].pointer("/spec/unschedulable"), None);
    }
    world.apply(&drain_with(json!({"force": true}))).await.unwrap();
    assert!(!world.fake.state().objects.contains_key(BARE));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_slips_in_before_the_cordon_ends_the_drain_and_the_cordon() {
    for cordoned_before in [false, true] {
        let world = world();
        if cordoned_before {
            world.fake.state().objects.get_mut("/api/v1/nodes/w-1").unwrap()["spec"] = json!({"unschedulable": true});
        }
        let came = std::sync::Arc::new(std::sync::Mutex::new(false));
        let mark = came.clone();
        world.fake.before_patch(move |state| {
            *mark.lock().unwrap() = true;
            state.put(BARE, bare());
        });
        world.apply(&drain_with(json!({}))).await.unwrap_err();
        assert!(*came.lock().unwrap());
        let state = world.fake.state();
        assert!(state.objects.contains_key(BARE) && state.objects.contains_key("/api/v1/namespaces/n/pods/a"));
        assert_eq!(flag(&state.objects["/api/v1/nodes/w-1"], "/spec/unschedulable"), cordoned_before);
    }
}

#[tokio::test]
async fn a_preview_names_what_each_drain_would_lose() {
    let world = world();
    world.fake.state().put(BARE, bare());
    let inputs = json!({"access": access_reference(), "node": "w-1"});
    let Observation::Present { attributes, .. } = world.observe("drain/w-1", Some(&inputs), None).await else {
        panic!("it is there")
    };
    let [schema, _] = schemas();
    let said = (schema.effects)(&[], &attributes, &inputs);
    let loss = resource::Loss::Pod { why: "no controller recreates it".to_owned() };
    let loses = Effect::Loses { node: "w-1".to_owned(), what: "pod n/bare".to_owned(), loss };
    assert_eq!(said, [Effect::Drains { node: "w-1".to_owned() }, loses]);
    assert!(world.fake.state().requests.iter().all(|request| request.starts_with("GET ")), "a preview only reads");
    world.fake.state().dead.extend(crate::world::SERVERS.map(str::to_owned));
    assert!(matches!(world.observe("drain/w-1", Some(&inputs), None).await, Observation::Unknown { .. }));
}

#[tokio::test]
async fn a_node_that_is_gone_loses_nothing() {
    let inputs = json!({"access": access_reference(), "node": "w-9"});
    assert_eq!(world().observe("drain/w-9", Some(&inputs), None).await, Observation::Absent);
}
