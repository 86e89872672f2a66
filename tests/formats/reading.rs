//! Every version ever written means today what it meant then.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use credentials::Vault;
use engine::{ActionOutcome, ClusterStore, RunOutcome, SecretVault as _, StateStore};
use plan::Plan;
use state_fs::FsStore;
use testkit::SeededRandomness;

use crate::fixture;
use crate::writing::{CLUSTER, SECRET, id, lock_info, store};

/// `changes` and `lines` of the report: how many its plan has; one for each reason that there was.
async fn means_what_it_meant(root: &Path, epoch: u64, (changes, lines): (usize, usize)) {
    let store: Arc<dyn StateStore> = Arc::new(FsStore::new(root));
    let cluster = ClusterStore::new(store.clone(), CLUSTER);
    assert_eq!(store.clusters().await.unwrap(), [CLUSTER]);
    assert_eq!(cluster.verify().await.unwrap().damages, []);

    let loaded = cluster.load().await.unwrap().unwrap();
    assert_eq!((loaded.head.lineage.as_str(), loaded.head.serial), ("lineage-1", 4));
    assert_eq!(loaded.head.epoch, epoch);
    assert_eq!(loaded.head.run.as_deref(), Some("20260101T000100Z-bbbbbb"));
    assert_eq!(loaded.revision.documents[0].text, "kind: Cluster\n");
    assert_eq!(loaded.applied.unwrap().documents[0]["kind"], "Cluster");
    let resources = &loaded.state.resources;
    let known: Vec<(&str, bool)> = resources.iter().map(|(id, recorded)| (id.as_str(), recorded.tainted)).collect();
    assert_eq!(known, [("config/a", true), ("machine/demo/control-plane-1", false), ("node/worker-1", true)]);
    let machine = id("machine/demo/control-plane-1");
    assert_eq!(resources[&machine].inputs["memory"], 4);
    assert_eq!(resources[&machine].outputs["address"], "10.88.0.10");

    let runs = cluster.runs().await.unwrap();
    let outcomes: Vec<RunOutcome> = runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [RunOutcome::Partial, RunOutcome::Unfinished]);
    assert_eq!(runs[0].count(ActionOutcome::Failed), 1);
    assert_eq!(cluster.revision("").await.unwrap().0, loaded.head.revision);

    let vault =
        Vault::open(store.clone(), CLUSTER, &root.join("operator.key"), &SeededRandomness::new(2)).await.unwrap();
    let wanted = BTreeMap::from([(machine.clone(), resources[&machine].secrets.clone())]);
    assert_eq!(vault.get(&wanted).await.unwrap()[&machine]["hostKey"].reveal(), SECRET);

    let plan = Plan::from_text(&std::fs::read_to_string(root.join("plan.json")).unwrap()).unwrap();
    assert_eq!((plan.changes.len(), plan.report.len(), plan.drift.len()), (changes, lines, 1));
    assert_eq!(store.lock(CLUSTER, lock_info()).await.unwrap().epoch(), 2);
}

#[tokio::test]
async fn every_version_ever_written_is_read() {
    // Heads of old do not say under which lease they were written.
    let meanings = [(0, (14, 7)), (1, (15, 8))];
    for (version, (epoch, planned)) in (1..=fixture::NEWEST).zip(meanings) {
        let root = tempfile::tempdir().unwrap();
        fixture::lay_out(&fixture::read(version), root.path());
        means_what_it_meant(root.path(), epoch, planned).await;
    }
}

#[tokio::test]
async fn what_is_written_today_is_read() {
    let root = tempfile::tempdir().unwrap();
    store(root.path()).await;
    means_what_it_meant(root.path(), 1, (15, 8)).await;
}
