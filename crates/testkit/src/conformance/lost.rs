//! A lost lease ends everything: whoever held a lock that was taken away changes nothing any more.

use std::sync::Arc;
use std::time::Duration;

use engine::journal::{Journal, Record};
use engine::{ClusterStore, JournalWriter, Lease, Loaded, Revision, StateStore, StoreError, Version};

use super::{StoreSubject, lock_info};

/// Somebody whose lock was taken away in the middle of something, and whoever has it now.
struct Pair {
    old: Arc<dyn StateStore>,
    lost: Arc<dyn Lease>,
    new: Arc<dyn StateStore>,
    _lease: Arc<dyn Lease>,
    /// What the old one believes to be the head.
    version: Version,
    journal: Arc<dyn JournalWriter>,
}

/// Everything that is stored.
type Stored = (Option<(Vec<u8>, Version)>, Vec<(String, Option<Vec<u8>>)>, Vec<(String, Vec<String>)>);

async fn stored(store: &dyn StateStore, cluster: &str) -> Result<Stored, StoreError> {
    let mut objects = Vec::new();
    for key in store.list(cluster, "").await? {
        objects.push((key.clone(), store.get(cluster, &key).await?));
    }
    let mut journals = Vec::new();
    for run in store.journals(cluster).await? {
        journals.push((run.clone(), store.read_journal(cluster, &run).await?));
    }
    Ok((store.head(cluster).await?, objects, journals))
}

/// Takes a lock away from its holder. Who held it may believe in it until the next time that it says that it lives.
async fn take_away(old: &dyn Lease, new: &dyn StateStore, cluster: &str) -> Result<Arc<dyn Lease>, StoreError> {
    new.break_lock(cluster).await?;
    let lease = new.lock(cluster, lock_info("new")).await?;
    while old.check().is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(lease)
}

async fn pair(subject: &dyn StoreSubject, cluster: &str) -> Result<Pair, StoreError> {
    let (old, new) = (subject.open(), subject.open());
    let lost = old.lock(cluster, lock_info("old")).await?;
    old.swap_head(cluster, None, b"old").await?;
    old.put(cluster, "secrets/one", b"x").await?;
    let journal = old.create_journal(cluster, "r1").await?;
    journal.append(&["one".to_owned()]).await?;
    let lease = take_away(&*lost, &*new, cluster).await?;
    let head = new.head(cluster).await?;
    let version = head.map(|(_, version)| version).ok_or(StoreError::Conflict)?;
    new.put(cluster, "secrets/two", b"y").await?;
    new.create_journal(cluster, "r2").await?.append(&["two".to_owned()]).await?;
    Ok(Pair { old, lost, new, _lease: lease, version, journal })
}

pub(super) async fn whoever_lost_the_lock_writes_and_deletes_nothing(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let cluster = "lost";
    let pair = pair(subject, cluster).await?;
    let before = stored(&*pair.new, cluster).await?;
    let refused = [
        ("swap_head", pair.old.swap_head(cluster, Some(&pair.version), b"late").await.map(drop)),
        ("put", pair.old.put(cluster, "secrets/late", b"z").await),
        ("put over", pair.old.put(cluster, "secrets/two", b"z").await),
        ("delete", pair.old.delete(cluster, "secrets/two").await),
        ("delete of its own", pair.old.delete(cluster, "secrets/one").await),
        ("create_journal", pair.old.create_journal(cluster, "r3").await.map(drop)),
        ("append", pair.journal.append(&["late".to_owned()]).await),
        ("delete_journal", pair.old.delete_journal(cluster, "r2").await),
        ("delete_journal of its own", pair.old.delete_journal(cluster, "r1").await),
        ("remove", pair.old.remove(cluster).await),
    ];
    for (what, result) in refused {
        assert!(matches!(result, Err(StoreError::LeaseLost)), "{what}: {result:?}");
    }
    assert_eq!(stored(&*pair.new, cluster).await?, before);
    // What the new one does counts, also after the old one has gone.
    drop(pair.lost);
    pair.new.swap_head(cluster, Some(&pair.version), b"new").await?;
    pair.new.delete(cluster, "secrets/one").await?;
    pair.new.delete_journal(cluster, "r1").await
}

/// A cluster with a run that was begun under a lease.
async fn in_a_run(
    store: &Arc<dyn StateStore>,
    cluster: &ClusterStore,
    name: &str,
) -> Result<(Arc<dyn Lease>, Loaded, Journal), StoreError> {
    let lease = store.lock(name, lock_info("old")).await?;
    let revision = cluster.put_revision(&*lease, &Revision::of_nothing()).await?;
    cluster.create(&*lease, "lineage", revision).await?;
    let loaded = load(cluster).await?;
    let (journal, ..) = cluster.begin_run(&*lease, &loaded, "20260101T000000Z-old", None).await?;
    Ok((lease, loaded, journal))
}

async fn load(cluster: &ClusterStore) -> Result<Loaded, StoreError> {
    cluster.load().await?.ok_or(StoreError::Conflict)
}

pub(super) async fn whoever_lost_the_lock_ends_no_run_and_begins_none(
    subject: &dyn StoreSubject,
) -> Result<(), StoreError> {
    let name = "lost-run";
    let (old_store, new_store) = (subject.open(), subject.open());
    let (old, new) = (ClusterStore::new(old_store.clone(), name), ClusterStore::new(new_store.clone(), name));
    let (lost, loaded, journal) = in_a_run(&old_store, &old, name).await?;
    let lease = take_away(&*lost, &*new_store, name).await?;
    let run = "20260101T000001Z-new";
    let (_mine, ..) = new.begin_run(&*lease, &load(&new).await?, run, None).await?;
    let before = stored(&*new_store, name).await?;
    let finished = Record::RunFinished { succeeded: 0, failed: 0, skipped: 0, time: String::new() };
    let other = Revision { reason: "late".to_owned(), ..Revision::of_nothing() };
    let refused = [
        ("append", journal.append(&finished).await),
        ("end_run", old.end_run(&*lost, "20260101T000000Z-old").await.map(drop)),
        ("end_run of another", old.end_run(&*lost, run).await.map(drop)),
        ("begin_run", old.begin_run(&*lost, &load(&old).await?, "20260101T000002Z-late", None).await.map(drop)),
        ("put_revision", old.put_revision(&*lost, &other).await.map(drop)),
        ("set_revision", old.set_revision(&*lost, &loaded, loaded.head.revision.clone()).await.map(drop)),
        ("remove", old.remove(&*lost).await),
    ];
    for (what, result) in refused {
        assert!(matches!(result, Err(StoreError::LeaseLost)), "{what}: {result:?}");
    }
    assert_eq!(stored(&*new_store, name).await?, before);
    assert!(matches!(new.end_run(&*lease, "20260101T000000Z-old").await, Err(StoreError::LeaseLost)));
    new.end_run(&*lease, run).await.map(drop)
}
