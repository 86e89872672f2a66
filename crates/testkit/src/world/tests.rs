//! The fake world keeps its promises: tests of the engine rest on them.

use engine::journal::Record;
use resource::{Behaviour, Reference};
use serde_json::json;

use super::*;
use crate::{Site, Source};

type Wanted = BTreeMap<ResourceId, Desired>;

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

async fn site() -> Site {
    let kinds = || {
        [
            FakeKind::new(KindSchema::plain("disk").rule("zone", Behaviour::Replace))
                .output("serial", Source::Identity),
            FakeKind::new(KindSchema { update_changes_outputs: true, ..KindSchema::plain("key") })
                .secret("private", Source::Generation),
            FakeKind::new(KindSchema::plain("host")),
            FakeKind::new(KindSchema::plain("file").rule("once", Behaviour::CreateOnly)),
        ]
    };
    Site::new(|life| FakeWorld::new(kinds(), life), Vec::new()).await.unwrap()
}

/// A host on a disk with a key, and a file in it.
fn wanted() -> Wanted {
    let disk = Desired::new(id("disk/a"), json!({"zone": "1", "size": 1}));
    let key = Desired::new(id("key/a"), json!({"names": ["a"]}));
    let serial = Reference::new(id("disk/a"), "serial");
    let host = Desired::new(id("host/a"), json!({"disk": serial, "key": Reference::new(id("key/a"), "private")}));
    let file = Desired::new(id("file/a"), json!({"text": "x", "once": 1})).contained_in(id("host/a"));
    [disk, key, host, file].into_iter().map(|each| (each.id.clone(), each)).collect()
}

async fn apply(site: &Site, wanted: &Wanted) -> Vec<String> {
    let (plan, summary) = site.apply(wanted).await.unwrap();
    assert!(summary.is_complete(), "{summary:?}");
    plan.changes.iter().map(|change| change.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn things_are_made_once_changed_in_place_and_go_with_their_parents() {
    let site = site().await;
    let mut wanted = wanted();
    assert_eq!(apply(&site, &wanted).await.len(), 4);
    assert!(apply(&site, &wanted).await.is_empty());
    wanted.get_mut(&id("disk/a")).unwrap().inputs["size"] = json!(2);
    assert_eq!(apply(&site, &wanted).await, ["update disk/a"]);
    assert!(apply(&site, &wanted).await.is_empty());
    apply(&site, &Wanted::new()).await;
    let end = site.world.snapshot();
    assert!(end.things.is_empty());
    assert_eq!(end.made.values().copied().collect::<Vec<_>>(), [1, 1, 1, 1]);
    assert_eq!(end.removed[&id("file/a")], 1);
    assert_eq!(end.changed.keys().collect::<Vec<_>>(), [&id("disk/a")]);
}

#[tokio::test(start_paused = true)]
async fn what_refers_to_a_new_secret_differs_until_it_is_changed_too() {
    let site = site().await;
    let mut wanted = wanted();
    apply(&site, &wanted).await;
    wanted.get_mut(&id("key/a")).unwrap().inputs["names"] = json!(["b"]);
    assert_eq!(apply(&site, &wanted).await, ["update key/a", "update host/a"]);
    assert!(apply(&site, &wanted).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_changes_are_seen() {
    let site = site().await;
    let wanted = wanted();
    apply(&site, &wanted).await;
    assert!(site.world.tamper(&id("file/a"), "/text", json!("y")));
    assert!(!site.world.tamper(&id("file/a"), "/nothing", json!("y")));
    let plan = site.plan(&wanted).await.unwrap();
    assert_eq!(plan.drift[0].fields[0].path, ["text"]);
    site.world.take_away(&id("host/a"));
    assert_eq!(apply(&site, &wanted).await, ["create host/a", "create file/a"]);
    site.world.hide("disk/a", "it is dark");
    let report = site.plan(&wanted).await.unwrap().report;
    assert_eq!(report.iter().map(|line| line.resource.as_str()).collect::<Vec<_>>(), ["disk/a", "host/a", "file/a"]);
}

#[tokio::test(start_paused = true)]
async fn orders_that_make_no_sense_are_refused() {
    let site = site().await;
    let wanted = wanted();
    let mut plan = site.plan(&wanted).await.unwrap();
    plan.changes.retain(|change| change.resource != id("disk/a"));
    let summary = site.carry_out(&plan, &wanted).await.unwrap();
    assert!(summary.failed.values().any(|why| why.contains("disk/a has no output")), "{summary:?}");

    apply(&site, &wanted).await;
    let mut plan = site.plan(&Wanted::new()).await.unwrap();
    plan.changes.retain(|change| change.resource == id("disk/a"));
    let summary = site.carry_out(&plan, &Wanted::new()).await.unwrap();
    assert!(summary.failed.values().any(|why| why.contains("while host/a stands on it")), "{summary:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_process_reaches_nothing() {
    for (fault, made) in [(Fault::DieBefore, 0), (Fault::DieAfter, 1)] {
        let site = site().await;
        site.world.inject(At::Call(1), fault);
        let wanted: Wanted = wanted().into_iter().filter(|(id, _)| id.kind() == "disk").collect();
        assert!(site.apply(&wanted).await.is_err() && site.is_dead());
        assert!(site.load().await.is_err());
        assert_eq!(site.world.snapshot().things.len(), made);
        let next = site.fork();
        assert!(next.state().await.unwrap().resources[&id("disk/a")].tainted);
        assert_eq!(next.world.snapshot(), site.world.snapshot());
        apply(&next, &wanted).await;
        assert_eq!(next.world.snapshot().made[&id("disk/a")], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_in_the_journal() {
    let site = site().await;
    let serial = site.load().await.unwrap().head.serial;
    apply(&site, &wanted()).await;
    let records = site.journal(serial).await.unwrap();
    assert!(matches!(records.last(), Some(Record::RunFinished { succeeded: 4, .. })));
    assert_eq!(Site::journalled(&records).len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_world_that_settles_late_shows_the_past() {
    let site = site().await;
    let wanted: Wanted = wanted().into_iter().filter(|(id, _)| id.kind() == "disk").collect();
    site.world.settle_after(Duration::from_secs(5));
    let plan = site.plan(&wanted).await.unwrap();
    site.world.inject(At::Call(2), Fault::Permanent);
    site.carry_out(&plan, &wanted).await.unwrap();
    // It is there, but nobody sees it yet.
    assert_eq!(site.world.snapshot().things.len(), 1);
    assert_eq!(apply(&site, &wanted).await, ["create disk/a"]);
    assert!(apply(&site, &wanted).await.is_empty());
    assert_eq!(site.world.snapshot().made[&id("disk/a")], 1);
}
