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
