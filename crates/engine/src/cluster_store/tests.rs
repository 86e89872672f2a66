//! Tests: what is stored of a cluster, under the lease that it is written with.

use serde_json::json;

use super::*;
use crate::{LockInfo, MemoryStore};

pub(super) fn info() -> LockInfo {
    let text = || "test".to_owned();
    LockInfo { id: text(), who: text(), process: 1, operation: text(), since: text() }
}

/// The right to change the cluster.
pub(super) async fn lease(cluster: &ClusterStore) -> Arc<dyn Lease> {
    cluster.store.lock("demo", info()).await.unwrap()
}

/// A cluster that was written down and never made.
pub(super) async fn cluster() -> ClusterStore {
    let cluster = ClusterStore::new(Arc::new(MemoryStore::default()), "demo");
    let lease = lease(&cluster).await;
    let digest = cluster.put_revision(&*lease, &Revision::of_nothing()).await.unwrap();
    cluster.create(&*lease, "lineage", digest).await.unwrap();
    cluster
}

#[tokio::test]
async fn the_spec_that_a_run_applies_is_kept_until_another_run_has_one() {
    let cluster = cluster().await;
    let lease = lease(&cluster).await;
    let loaded = cluster.load().await.unwrap().unwrap();
    assert_eq!(loaded.applied, None);
    let revision = loaded.head.revision.clone();
    let applied = AppliedSpec { format: AppliedSpec::FORMAT, revision, documents: vec![json!({"kind": "Cluster"})] };
    cluster.begin_run(&*lease, &loaded, "first", Some(&applied)).await.unwrap();
    cluster.end_run(&*lease, "first").await.unwrap();
    let loaded = cluster.load().await.unwrap().unwrap();
    assert_eq!(loaded.applied.as_ref(), Some(&applied));
    cluster.begin_run(&*lease, &loaded, "delete", None).await.unwrap();
    assert_eq!(cluster.load().await.unwrap().unwrap().applied, Some(applied));
}

#[tokio::test]
async fn a_run_that_began_meanwhile_is_a_conflict() {
    let cluster = cluster().await;
    let lease = lease(&cluster).await;
    let loaded = cluster.load().await.unwrap().unwrap();
    cluster.begin_run(&*lease, &loaded, "first", None).await.unwrap();
    let second = cluster.begin_run(&*lease, &loaded, "second", None).await;
    assert!(matches!(second.err(), Some(StoreError::Conflict)));
}

#[tokio::test]
async fn only_the_run_that_is_open_is_ended() {
    let cluster = cluster().await;
    let lease = lease(&cluster).await;
    let loaded = cluster.load().await.unwrap().unwrap();
    cluster.begin_run(&*lease, &loaded, "mine", None).await.unwrap();
    assert!(matches!(cluster.end_run(&*lease, "another").await, Err(StoreError::LeaseLost)));
    assert_eq!(cluster.load().await.unwrap().unwrap().head.run.as_deref(), Some("mine"));
    cluster.end_run(&*lease, "mine").await.unwrap();
    assert!(matches!(cluster.end_run(&*lease, "mine").await, Err(StoreError::LeaseLost)));
}

#[tokio::test]
async fn what_was_written_under_a_later_lease_is_not_replaced_under_an_earlier_one() {
    let cluster = cluster().await;
    let lease = lease(&cluster).await;
    let loaded = cluster.load().await.unwrap().unwrap();
    assert_eq!(loaded.head.epoch, 1);
    let head = Head { epoch: lease.epoch() + 1, ..loaded.head.clone() };
    let later = Loaded { head, ..loaded.clone() };
    let revision = loaded.head.revision.clone();
    assert!(matches!(cluster.set_revision(&*lease, &later, revision.clone()).await, Err(StoreError::LeaseLost)));
    cluster.set_revision(&*lease, &loaded, revision).await.unwrap();
    assert_eq!(cluster.load().await.unwrap().unwrap().head.epoch, lease.epoch());
}

#[test]
fn what_names_no_format_or_is_none_is_damaged() {
    for text in [r#"{"x": 1}"#, r#"{"format": "1"}"#, "[]", "3", "{"] {
        let error = parse::<Revision>("a revision", 1, text.as_bytes()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{text}: {error}");
    }
}

#[test]
fn what_a_newer_kubewright_wrote_is_not_mangled() {
    let error = parse::<Revision>("a revision", 1, br#"{"format": 2}"#).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
}

#[tokio::test]
async fn an_interrupted_removal_is_found_again_and_ended() {
    let cluster = cluster().await;
    let lease = lease(&cluster).await;
    let (bytes, version) = cluster.store.head("demo").await.unwrap().unwrap();
    let head: Head = serde_json::from_slice(&bytes).unwrap();
    let (_, bytes) = encode(&Head { removing: true, ..head }).unwrap();
    // As a kill leaves it between the mark and the end.
    cluster.store.swap_head("demo", Some(&version), &bytes).await.unwrap();
    assert!(matches!(cluster.load().await, Err(StoreError::BeingRemoved { cluster }) if cluster == "demo"));
    assert_eq!(cluster.latest_revision().await.unwrap(), None);
    cluster.remove(&*lease).await.unwrap();
    assert!(cluster.load().await.unwrap().is_none());
}

#[tokio::test]
async fn no_cluster_is_made_of_what_another_one_left() {
    let cluster = ClusterStore::new(Arc::new(MemoryStore::default()), "demo");
    let lease = lease(&cluster).await;
    cluster.store.put("demo", "secrets/x", b"bundle").await.unwrap();
    let digest = cluster.put_revision(&*lease, &Revision::of_nothing()).await.unwrap();
    let refused = cluster.create(&*lease, "lineage", digest).await;
    assert!(matches!(refused, Err(StoreError::Leftovers { objects: 1, .. })), "{refused:?}");
    assert_eq!(cluster.store.head("demo").await.unwrap(), None);
}
