//! Machines that nobody asked for are told of.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/world.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod world;

use std::sync::Arc;

use engine::{Handler as _, ObserveRequest};
use provider_local::LocalProvider;
use resource::{Observation, ResourceId};
use serde_json::json;
use world::{Images, World};

#[tokio::test]
async fn a_machine_that_lies_beside_those_that_are_asked_for_is_an_orphan() {
    let root = tempfile::tempdir().unwrap();
    for machine in ["demo/worker-1", "demo/ghost", "other/worker-1"] {
        std::fs::create_dir_all(root.path().join(machine)).unwrap();
    }
    let provider = LocalProvider::new(root.path().to_owned(), Arc::new(Images(root.path().to_owned())));
    let id = |name: &str| ResourceId::new("machine", name);
    let request = ObserveRequest { id: id("demo/worker-1"), desired: Some(json!({})), recorded: None };
    let seen = provider.observe(vec![request], Arc::new(World::default())).await;
    assert_eq!(seen.keys().collect::<Vec<_>>(), [&id("demo/ghost"), &id("demo/worker-1")]);
    assert!(matches!(seen[&id("demo/ghost")], Observation::Orphan { .. }));
    assert!(matches!(seen[&id("demo/worker-1")], Observation::Present { .. }));
}

#[tokio::test]
async fn a_machine_of_a_state_is_no_orphan_of_a_cluster_that_does_not_say_of_which_state_it_is() {
    let root = tempfile::tempdir().unwrap();
    for (machine, lineage) in [("demo/theirs", json!("1a-2b")), ("demo/old", json!(null))] {
        let directory = root.path().join(machine);
        std::fs::create_dir_all(&directory).unwrap();
        let record = json!({"image": "rootfs@1", "prepared": true, "inputs": {"lineage": lineage}});
        std::fs::write(directory.join("machine.json"), record.to_string()).unwrap();
    }
    let provider = LocalProvider::new(root.path().to_owned(), Arc::new(Images(root.path().to_owned())));
    let id = |name: &str| ResourceId::new("machine", name);
    let request = |desired| ObserveRequest { id: id("demo/worker-1"), desired: Some(desired), recorded: None };
    let seen = provider.observe(vec![request(json!({}))], Arc::new(World::default())).await;
    assert!(matches!(seen[&id("demo/old")], Observation::Orphan { .. }));
    assert!(!seen.contains_key(&id("demo/theirs")));
    let seen = provider.observe(vec![request(json!({"lineage": "1a-2b"}))], Arc::new(World::default())).await;
    assert!(matches!(seen[&id("demo/theirs")], Observation::Orphan { .. }));
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("demo"), "no directory").unwrap();
    let provider = LocalProvider::new(root.path().to_owned(), Arc::new(Images(root.path().to_owned())));
    let id = |name: &str| ResourceId::new("network", name);
    let request = |name| ObserveRequest { id: id(name), desired: Some(json!({})), recorded: None };
    let seen = provider.observe(vec![request("demo"), request("gone")], Arc::new(World::default())).await;
    let Observation::Unknown { why } = &seen[&id("demo")] else { panic!("{seen:?}") };
    assert!(why.contains("cannot read"), "{why}");
    assert!(matches!(seen[&id("gone")], Observation::Absent), "{seen:?}");
}
