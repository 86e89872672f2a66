//! Checkpoints: as large as what is recorded, and as many as there are runs.

use engine::StateStore as _;
use testkit::Site;

use crate::check::{apply, site};
use crate::clusters::{self, EDITS};

const CLUSTER: &str = "demo";

/// The serial of the last run may have more of them, bytes.
const DIGITS: usize = 8;

/// Lengths of the checkpoints that are kept, in bytes.
async fn checkpoints(site: &Site) -> Vec<usize> {
    let mut lengths = Vec::new();
    for key in site.store.list(CLUSTER, "checkpoints/").await.unwrap() {
        lengths.push(site.store.get(CLUSTER, &key).await.unwrap().map_or(0, |bytes| bytes.len()));
    }
    lengths
}

/// Writes of a run beside those of its journal.
async fn writes_beside_the_journal(site: &Site, name: &str) -> (usize, usize) {
    let before = (site.store.writes(), site.store.appends());
    let plan = apply(site, &clusters::wanted(name)).await;
    let writes = site.store.writes() - before.0;
    (plan.changes.len(), writes - (site.store.appends() - before.1))
}

#[tokio::test(start_paused = true)]
async fn a_run_writes_as_few_checkpoints_for_many_actions_as_for_few() {
    let (small, large) = (site().await, site().await);
    let (few, for_few) = writes_beside_the_journal(&small, "local.yaml").await;
    let (many, for_many) = writes_beside_the_journal(&large, "local-ha.yaml").await;
    assert!(many > few + 10, "{few} actions, {many} actions");
    assert_eq!(for_few, for_many, "writes for {few} and for {many} actions");
}

#[tokio::test(start_paused = true)]
async fn what_was_done_does_not_make_a_checkpoint_larger() {
    let site = site().await;
    let (one, other) = (clusters::wanted("local.yaml"), clusters::changed("local.yaml", EDITS[0].1));
    apply(&site, &other).await;
    apply(&site, &one).await;
    let early = checkpoints(&site).await;
    for _ in 0..20 {
        apply(&site, &other).await;
        apply(&site, &one).await;
    }
    let late = checkpoints(&site).await;
    assert!(late.len() <= 2, "{late:?}");
    let (late, early) = (late.into_iter().max().unwrap(), early.into_iter().max().unwrap());
    assert!(late <= early + DIGITS, "{early} bytes, then {late}");
}
