//! Removal: nothing stays of the cluster, and nothing goes of another.

use engine::{StateStore, StoreError};

use super::{StoreSubject, lock_info};

async fn fill(store: &dyn StateStore, cluster: &str) -> Result<(), StoreError> {
    store.swap_head(cluster, None, b"head").await?;
    for number in 0..5 {
        store.put(cluster, &format!("secrets/{number}"), b"x").await?;
    }
    store.create_journal(cluster, "r1").await?.append(&["one".to_owned()]).await
}

pub(super) async fn a_removed_cluster_leaves_nothing_and_others_alone(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    for cluster in ["gone", "gone-2", "gon"] {
        fill(&*store, cluster).await?;
    }
    store.remove("gone").await?;
    store.remove("gone").await?;
    assert_eq!(store.head("gone").await?, None);
    assert!(store.list("gone", "").await?.is_empty());
    assert!(store.journals("gone").await?.is_empty());
    assert!(store.read_journal("gone", "r1").await?.is_empty());
    let left: Vec<String> = store.clusters().await?.into_iter().filter(|name| name.starts_with("gon")).collect();
    assert_eq!(left, ["gon", "gone-2"]);
    for cluster in left {
        assert_eq!(store.list(&cluster, "").await?.len(), 5);
        assert_eq!(store.read_journal(&cluster, "r1").await?, ["one"]);
    }
    Ok(())
}

pub(super) async fn a_cluster_is_removed_under_its_lease_and_made_anew(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let store = subject.open();
    fill(&*store, "again").await?;
    let lease = store.lock("again", lock_info("me")).await?;
    store.remove("again").await?;
    drop(lease);
    assert_eq!(store.head("again").await?, None);
    let lease = store.lock("again", lock_info("me")).await?;
    fill(&*store, "again").await?;
    assert_eq!(store.head("again").await?.map(|(bytes, _)| bytes), Some(b"head".to_vec()));
    lease.check()
}
