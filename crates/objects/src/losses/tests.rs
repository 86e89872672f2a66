//! What is lost of pods and volumes of many kinds.

use serde_json::json;

use super::*;
use crate::world::World;

const SETS: &str = "/apis/apps/v1/namespaces/n/replicasets";

fn owned(kind: &str, name: &str) -> Value {
    let owner = json!({
        "apiVersion": if kind == "Job" { "batch/v1" } else { "apps/v1" },
        "kind": kind, "name": name, "uid": format!("uid-of-{name}"), "controller": true,
    });
    json!({"ownerReferences": [owner]})
}

/// A cluster with a node `w-1` and a user's ReplicaSet `web`.
fn world() -> World {
    let world = World::new();
    let node = json!({"metadata": {"name": "w-1", "labels": {HOST_NAME: "host-1"}}});
    let set = json!({"metadata": {"name": "web", "namespace": "n", "uid": "uid-of-web"}});
    let mut state = world.fake.state();
    state.put("/api/v1/nodes/w-1", node);
    state.put(&format!("{SETS}/web"), set);
    drop(state);
    world
}

fn put_pod(world: &World, name: &str, metadata: Value, spec: Value, phase: &str) {
    let mut pod = json!({"metadata": metadata, "spec": spec, "status": {"phase": phase}});
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = json!("n");
    pod["spec"]["nodeName"] = json!("w-1");
    world.fake.state().put(&format!("/api/v1/namespaces/n/pods/{name}"), pod);
}

async fn lost(world: &World) -> Vec<String> {
    let connection = world.connections.open(&World::access()).unwrap();
    let node = world.fake.state().objects["/api/v1/nodes/w-1"].clone();
    let lost = losses(&connection, &node).await.unwrap();
    lost.iter().map(|lost| format!("{}: {}", lost, serde_json::to_value(&lost.loss).unwrap())).collect()
}

fn scratch() -> Value {
    json!({"volumes": [
        {"name": "cache", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory"}},
        {"name": "host", "hostPath": {"path": "/"}},
    ]})
}

#[tokio::test]
async fn pods_that_a_living_controller_recreates_lose_nothing() {
    let world = world();
    put_pod(&world, "a", owned("ReplicaSet", "web"), json!({}), "Running");
    assert_eq!(lost(&world).await, [""; 0]);
}

#[tokio::test]
async fn bare_pods_and_those_of_a_controller_that_is_gone_are_lost() {
    let world = world();
    put_pod(&world, "bare", json!({}), json!({}), "Running");
    put_pod(&world, "left", owned("ReplicaSet", "old"), json!({}), "Running");
    put_pod(&world, "job", owned("Job", "batch"), json!({}), "Pending");
    let other = json!({"metadata": {"name": "again", "namespace": "n", "uid": "another"}});
    world.fake.state().put(&format!("{SETS}/again"), other);
    put_pod(&world, "again", owned("ReplicaSet", "again"), json!({}), "Running");
    assert_eq!(
        lost(&world).await,
        [
            r#"pod n/again: {"kind":"pod","why":"its ReplicaSet again is gone"}"#,
            r#"pod n/bare: {"kind":"pod","why":"no controller recreates it"}"#,
            r#"pod n/job: {"kind":"pod","why":"its Job batch is gone"}"#,
            r#"pod n/left: {"kind":"pod","why":"its ReplicaSet old is gone"}"#,
        ]
    );
}

#[tokio::test]
async fn every_empty_dir_counts_and_other_volumes_do_not() {
    let world = world();
    put_pod(&world, "a", owned("ReplicaSet", "web"), scratch(), "Running");
    assert_eq!(
        lost(&world).await,
        [r#"emptyDir data of pod n/a: {"kind":"emptyDirData","volumes":["cache","memory"]}"#]
    );
}

#[tokio::test]
async fn what_belongs_to_the_node_has_ended_or_is_ending_is_no_loss() {
    let world = world();
    put_pod(&world, "daemon", owned("DaemonSet", "proxy"), scratch(), "Running");
    put_pod(&world, "mirror", json!({"annotations": {"kubernetes.io/config.mirror": "x"}}), scratch(), "Running");
    put_pod(&world, "done", json!({}), scratch(), "Succeeded");
    put_pod(&world, "failed", json!({}), scratch(), "Failed");
    put_pod(&world, "ending", json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}), scratch(), "Running");
    assert_eq!(lost(&world).await, [""; 0]);
}

/// A Deployment with this marker, its ReplicaSet, and a pod of that with an emptyDir.
fn put_addon(world: &World, owner: &str) {
    let marker = json!({"kubewright.io/owner": owner});
    let deployment = json!({"metadata": {"name": "m", "namespace": "n", "uid": "uid-of-m", "annotations": marker}});
    let mut set = json!({"metadata": owned("Deployment", "m")});
    set["metadata"]["name"] = json!("m-1");
    set["metadata"]["namespace"] = json!("n");
    set["metadata"]["uid"] = json!("uid-of-m-1");
    // Deployments hand their annotations on.
    set["metadata"]["annotations"] = marker;
    world.fake.state().put("/apis/apps/v1/namespaces/n/deployments/m", deployment);
    world.fake.state().put(&format!("{SETS}/m-1"), set);
    put_pod(world, "m-1-x", owned("ReplicaSet", "m-1"), scratch(), "Running");
}

#[tokio::test]
async fn our_own_workloads_keep_nothing_in_their_empty_dirs() {
    let world = world();
    put_addon(&world, "object/apps/v1/Deployment/n/m");
    assert_eq!(lost(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_marker_that_was_copied_makes_no_workload_ours() {
    let world = world();
    put_addon(&world, "object/apps/v1/Deployment/kube-system/metrics-server");
    assert_eq!(lost(&world).await.len(), 1);
}

fn put_volume(world: &World, name: &str, source: &str, host: Option<&[&str]>, claim: Option<&str>) {
    let mut volume = json!({"metadata": {"name": name}, "spec": {source: {"path": "/data"}}});
    if let Some(hosts) = host {
        let expression = json!({"key": HOST_NAME, "operator": "In", "values": hosts});
        let terms = json!([{"matchExpressions": [expression]}]);
        volume["spec"]["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": terms}});
    }
    if let Some(claim) = claim {
        volume["spec"]["claimRef"] = json!({"namespace": "n", "name": claim});
    }
    world.fake.state().put(&format!("/api/v1/persistentvolumes/{name}"), volume);
}

#[tokio::test]
async fn claimed_volumes_that_lie_on_the_node_alone_are_lost() {
    let world = world();
    let here: Option<&[&str]> = Some(&["host-1"]);
    put_volume(&world, "local", "local", here, Some("a"));
    put_volume(&world, "path", "hostPath", here, Some("b"));
    put_volume(&world, "free", "local", here, None);
    put_volume(&world, "elsewhere", "local", Some(&["host-2"]), Some("c"));
    put_volume(&world, "both", "local", Some(&["host-1", "host-2"]), Some("d"));
    put_volume(&world, "shared", "nfs", here, Some("e"));
    put_volume(&world, "used", "hostPath", None, Some("f"));
    put_volume(&world, "unused", "hostPath", None, Some("g"));
    let uses = json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "f"}}]});
    put_pod(&world, "db", owned("ReplicaSet", "web"), uses, "Running");
    assert_eq!(
        lost(&world).await,
        [
            r#"volume local: {"claim":"n/a","kind":"localVolume"}"#,
            r#"volume path: {"claim":"n/b","kind":"localVolume"}"#,
            r#"volume used: {"claim":"n/f","kind":"localVolume"}"#,
        ]
    );
}
