//! What an earlier version of a kind recorded is read by a later one, and what a later one recorded by no earlier one.

use engine::StoreError;
use reconcile::ReconcileError;
use resource::{Desired, KindSchema, ResourceId};
use serde_json::{Value, json};
use testkit::{FakeKind, FakeWorld, Site};

use crate::check::{apply, assert_settled};
use crate::clusters::Wanted;

/// A disk, whose `size` became `sizeGib` in version 2 and `sizeMib` in version 3.
fn disk(version: u32) -> FakeKind {
    let upgrade = |from: u32, inputs: Value| {
        let gib = if from == 1 { &inputs["size"] } else { &inputs["sizeGib"] };
        json!({"sizeMib": gib.as_u64().unwrap() * 1024})
    };
    FakeKind::new(KindSchema { version, upgrade, ..KindSchema::plain("disk") })
}

fn wanted(inputs: Value) -> Wanted {
    let disk = Desired::new(ResourceId::new("disk", "a"), inputs);
    [(disk.id.clone(), disk)].into()
}

async fn made(version: u32, inputs: Value) -> Site {
    let site = Site::new(|life| FakeWorld::new([disk(version)], life), Vec::new()).await.unwrap();
    apply(&site, &wanted(inputs)).await;
    site
}

fn known_as(site: &Site, version: u32) -> Site {
    let mut next = site.fork();
    next.world = next.world.known_as([disk(version)]);
    next
}

#[tokio::test(start_paused = true)]
async fn what_every_earlier_version_recorded_is_upgraded_and_changes_nothing() {
    for (version, inputs) in [(1, json!({"size": 2})), (2, json!({"sizeGib": 2}))] {
        let site = known_as(&made(version, inputs).await, 3);
        assert_settled(&site, &wanted(json!({"sizeMib": 2048})), &format!("of version {version}")).await;
        let plan = apply(&site, &wanted(json!({"sizeMib": 4096}))).await;
        assert_eq!(plan.changes[0].fields[0].before, Some(json!(2048)));
        let recorded = site.state().await.unwrap().resources.into_values().next().unwrap();
        assert_eq!((recorded.schema_version, recorded.inputs), (3, json!({"sizeMib": 4096})));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_later_version_recorded_is_refused() {
    let site = known_as(&made(3, json!({"sizeMib": 2048})).await, 2);
    let error = site.plan(&wanted(json!({"sizeGib": 2}))).await.unwrap_err();
    assert!(
        matches!(&error, ReconcileError::Store(StoreError::Newer { what, found: 3, known: 2 }) if what == "the record of disk/a"),
        "{error}"
    );
}
