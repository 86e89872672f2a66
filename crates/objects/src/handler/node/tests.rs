//! Nodes with labels and taints of several owners.

use plan::Operation;

use super::*;
use crate::world::{World, access_reference};

fn live() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": "w-1",
            "labels": {"role": "worker", "old": "x", "kubernetes.io/hostname": "w-1"},
            "annotations": {"kubewright.io/taints": "gone:NoSchedule", "kubewright.io/owner": "node/w-1"},
            "managedFields": [{"manager": "kubewright", "operation": "Apply", "fieldsV1": {"f:metadata": {
                "f:labels": {"f:role": {}, "f:old": {}},
                "f:annotations": {"f:kubewright.io/taints": {}, "f:kubewright.io/owner": {}},
            }}}],
        },
        "spec": {"taints": [
            {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
            {"key": "gone", "effect": "NoSchedule"},
        ]},
    })
}

#[test]
fn a_node_shows_what_is_ours_and_what_is_desired() {
    let owner = json!({"kubewright.io/owner": "node/w-1"});
    let desired = json!({"access": "a", "labels": {"role": "worker"}, "taints": [], "annotations": owner});
    assert_eq!(
        attributes(&live(), "w-1", &desired, None),
        json!({
            "access": "a",
            "labels": {"role": "worker", "old": "x"},
            "taints": [{"key": "gone", "effect": "NoSchedule"}],
            "annotations": {"kubewright.io/owner": "node/w-1"},
        })
    );
}

#[test]
fn only_what_differs_in_the_spec_is_patched() {
    let managed = managed_taints(&live(), None);
    let drop = spec_changes(&live(), &json!({"taints": []}), &managed);
    assert_eq!(json!(drop), json!({"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}));
    let keep = json!({"taints": [{"key": "gone", "effect": "NoSchedule"}], "unschedulable": false});
    assert!(spec_changes(&live(), &keep, &managed).is_empty());
    let cordon = json!({"taints": [{"key": "gone", "value": "", "effect": "NoSchedule"}], "unschedulable": true});
    assert_eq!(json!(spec_changes(&live(), &cordon, &managed)), json!({"unschedulable": true}));
}

fn inputs() -> Value {
    json!({
        "access": access_reference(),
        "labels": {"node-role.kubernetes.io/control-plane": ""},
        "taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
        "annotations": {},
    })
}

const PATH: &str = "/api/v1/nodes/cp-1";

fn registered() -> Value {
    json!({
        "metadata": {"name": "cp-1", "labels": {"kubernetes.io/hostname": "cp-1"}},
        "spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]},
    })
}

#[tokio::test(start_paused = true)]
async fn a_node_is_waited_for_and_then_labelled() {
    let world = World::new();
    world.fake.before_request(10, |state| {
        state.put(PATH, registered());
    });
    world.create("node/cp-1", &inputs()).await.unwrap();
    assert_eq!(world.notes(), ["waiting for the kubelet of cp-1 to register"]);
    let live = world.fake.state().objects[PATH].clone();
    assert_eq!(live["spec"]["taints"].as_array().unwrap().len(), 2);
    assert_eq!(world.observe("node/cp-1", Some(&inputs()), Some(&inputs())).await, Observation::present(inputs()));
}

#[tokio::test]
async fn dropped_labels_and_taints_go_and_foreign_ones_stay() {
    let world = World::new();
    world.fake.state().put(PATH, registered());
    world.create("node/cp-1", &inputs()).await.unwrap();
    let wanted = json!({"access": access_reference(), "labels": {}, "taints": [], "annotations": {}});
    let seen = world.observe("node/cp-1", Some(&wanted), Some(&inputs())).await;
    assert_eq!(seen, Observation::present(inputs()));
    world.apply(&World::change(Operation::Update, "node/cp-1", Some(inputs()), Some(wanted.clone()))).await.unwrap();
    let live = world.fake.state().objects[PATH].clone();
    assert_eq!(live["metadata"]["labels"], json!({"kubernetes.io/hostname": "cp-1"}));
    assert_eq!(live["spec"]["taints"], registered()["spec"]["taints"]);
    assert_eq!(world.observe("node/cp-1", Some(&wanted), Some(&wanted)).await, Observation::present(wanted));
}

#[tokio::test]
async fn a_label_somebody_removed_is_missed() {
    let world = World::new();
    world.fake.state().put(PATH, registered());
    world.create("node/cp-1", &inputs()).await.unwrap();
    let mut live = world.fake.state().objects[PATH].clone();
    live["metadata"]["labels"] = json!({});
    live["metadata"]["managedFields"] = json!([]);
    world.fake.state().put(PATH, live);
    let Observation::Present { attributes, .. } = world.observe("node/cp-1", Some(&inputs()), Some(&inputs())).await
    else {
        panic!("it is there");
    };
    assert_eq!(attributes["labels"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_register_is_named_with_what_to_do() {
    let world = World::new();
    let error = world.create("node/cp-1", &inputs()).await.unwrap_err();
    assert!(error.message.contains("has not registered"));
    assert!(error.hint.unwrap().contains("journalctl -u kubelet"));
}

#[tokio::test]
async fn a_deleted_node_is_absent() {
    let world = World::new();
    world.fake.state().put(PATH, registered());
    for _ in 0..2 {
        world.apply(&World::change(Operation::Delete, "node/cp-1", Some(inputs()), None)).await.unwrap();
    }
    assert_eq!(world.observe("node/cp-1", None, Some(&inputs())).await, Observation::Absent);
}
