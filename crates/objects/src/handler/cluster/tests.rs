//! Clusters that become ready, or do not.

use resource::{Observation, Reference, Secret};
use serde_json::json;

use super::*;
use crate::world::{SERVERS, World, id};

fn inputs() -> Value {
    json!({
        "servers": SERVERS,
        "machines": ["cp-1", "cp-2"],
        "authority": Reference::new(id("authority/kubernetes"), "certificate"),
        "certificate": Reference::new(id("certificate/operator"), "certificate"),
        "key": Reference::new(id("certificate/operator"), "key"),
    })
}

fn world() -> World {
    let world = World::new();
    world.record("authority/kubernetes", "certificate", Output::Public(json!("CA")));
    world.record("certificate/operator", "certificate", Output::Public(json!("CERT")));
    world.record("certificate/operator", "key", Output::Secret(Secret::new("KEY")));
    world
}

#[tokio::test(start_paused = true)]
async fn every_server_is_waited_for_and_named() {
    let world = world();
    world.fake.state().dead.insert(SERVERS[0].to_owned());
    world.fake.state().unready.insert(SERVERS[1].to_owned(), "[+]ping ok\n[-]etcd failed: reason withheld".to_owned());
    world.fake.before_request(20, |state| state.dead.clear());
    world.fake.before_request(30, |state| state.unready.clear());
    let applied = world.create("cluster/demo", &inputs()).await.unwrap();
    assert_eq!(applied.outputs["kubeSystemUid"].text(), Some("uid-of-cluster"));
    assert_eq!(applied.outputs["access"], Output::Secret(World::access()));
    let mut notes = world.notes();
    notes.sort_unstable();
    assert_eq!(notes, ["cp-1: API server not started yet", "cp-2: etcd not ready"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_become_ready_is_named_with_what_to_do() {
    let world = world();
    world.fake.state().unready.insert(SERVERS[1].to_owned(), "[-]etcd failed: reason withheld".to_owned());
    let error = world.create("cluster/demo", &inputs()).await.unwrap_err();
    assert!(error.message.contains("cp-2") && error.message.contains("etcd not ready"), "{}", error.message);
    assert!(error.hint.unwrap().contains("kubewright ssh demo cp-2 -- crictl ps -a"));
}

#[tokio::test(start_paused = true)]
async fn an_update_needs_one_server_and_those_that_answer_and_a_creation_all_of_them() {
    let world = world();
    world.fake.state().dead.insert(SERVERS[0].to_owned());
    let update = World::change(Operation::Update, "cluster/demo", Some(inputs()), Some(inputs()));
    let applied = world.apply(&update).await.unwrap();
    assert_eq!(applied.outputs["access"], Output::Secret(World::access()));
    assert!(world.create("cluster/demo", &inputs()).await.unwrap_err().message.contains("cp-1"));
    world.fake.state().dead.clear();
    world.fake.state().unready.insert(SERVERS[1].to_owned(), "[-]etcd failed: reason withheld".to_owned());
    let error = world.apply(&update).await.unwrap_err();
    assert!(error.message.contains("cp-2") && error.message.contains("etcd not ready"), "{}", error.message);
    world.fake.state().dead.extend(SERVERS.map(str::to_owned));
    let error = world.apply(&update).await.unwrap_err();
    assert!(error.message.contains("is not ready after 5 min"), "{}", error.message);
}

#[tokio::test]
async fn a_cluster_is_known_by_its_identity() {
    let world = world();
    assert_eq!(world.observe("cluster/demo", Some(&inputs()), None).await, Observation::Absent);
    let seen = world.observe("cluster/demo", Some(&inputs()), Some(&inputs())).await;
    assert_eq!(seen, Observation::present(inputs()));
    world.record("cluster/demo", "kubeSystemUid", Output::Public(json!("other")));
    let seen = world.observe("cluster/demo", Some(&inputs()), Some(&inputs())).await;
    assert!(matches!(seen, Observation::Unknown { why } if why.contains("another cluster answers")));
}

#[tokio::test]
async fn a_cluster_that_was_waited_for_in_vain_is_waited_for_again() {
    let world = world();
    world.memory.outputs.lock().unwrap().remove(&id("cluster/demo"));
    assert_eq!(world.observe("cluster/demo", Some(&inputs()), Some(&inputs())).await, Observation::Absent);
}

#[tokio::test]
async fn a_dead_cluster_can_be_let_go_of() {
    let world = world();
    world.fake.state().dead.extend(SERVERS.map(str::to_owned));
    assert_eq!(world.observe("cluster/demo", None, Some(&inputs())).await, Observation::present(inputs()));
    assert!(matches!(
        world.observe("cluster/demo", Some(&inputs()), Some(&inputs())).await,
        Observation::Unknown { .. }
    ));
}

#[tokio::test]
async fn an_update_does_not_adopt_another_cluster() {
    let world = world();
    world.record("cluster/demo", "kubeSystemUid", Output::Public(json!("other")));
    let update = World::change(Operation::Update, "cluster/demo", Some(inputs()), Some(inputs()));
    assert!(world.apply(&update).await.unwrap_err().message.contains("another cluster answers"));
}

#[test]
fn failed_checks_of_a_server_are_named() {
    let error = ApiError::Refused {
        code: 500,
        reason: String::new(),
        message: "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/x failed: reason withheld".into(),
        causes: Vec::new(),
    };
    assert_eq!(unreadiness(&error), "etcd, poststarthook/x not ready");
}

#[test]
fn a_server_without_a_name_is_called_by_its_address() {
    assert_eq!(host("https://10.0.0.2:6443"), "10.0.0.2");
    assert_eq!(host("https://[fd00::2]:6443"), "[fd00::2]");
}
