//! A state store in memory whose process can die at any write, or lose its lease.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::{JournalWriter, Lease, LockInfo, MemoryStore, StateStore, StoreError, Version};

use crate::Life;
use crate::conformance::lock_info;

/// When a process dies, seen from one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it is done.
    Before,
    /// When it is done, before anyone hears of it.
    After,
}

#[derive(Debug, Default)]
struct Writes {
    made: usize,
    appended: usize,
    death: Option<(usize, Moment)>,
    loss: Option<usize>,
}

/// A state store in memory. Copies are the same store.
#[derive(Clone, Default)]
pub struct MortalStore {
    inner: MemoryStore,
    life: Life,
    writes: Arc<Mutex<Writes>>,
    lost: Arc<AtomicBool>,
    other: Arc<Mutex<Option<Other>>>,
}

/// The lease of another process, and what was stored when it took it.
type Other = (Arc<dyn Lease>, MemoryStore);

impl MortalStore {
    /// An empty store, used by the process that `life` is of.
    pub fn new(life: Life) -> Self {
        Self { life, ..Self::default() }
    }

    /// The same contents in a store of another process that goes its own way.
    #[must_use]
    pub fn fork(&self, life: Life) -> Self {
        Self { inner: self.inner.fork(), life, ..Self::default() }
    }

    /// How many writes were made so far.
    pub fn writes(&self) -> usize {
        self.count().made
    }

    /// How many of them were to journals.
    pub fn appends(&self) -> usize {
        self.count().appended
    }

    /// Ends the process at the n-th write, counted from 1 over the store's whole life.
    pub fn die_at(&self, write: usize, moment: Moment) {
        self.count().death = Some((write, moment));
    }

    /// Lets another process take the lock before the n-th write, counted from 1 over the store's whole life.
    pub fn lose_at(&self, write: usize) {
        self.count().loss = Some(write);
    }

    /// Lets every lease be lost from now on.
    pub fn lose_leases(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    fn count(&self) -> std::sync::MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a write; dies where it is told to.
    async fn begin(&self, cluster: &str) -> Result<Option<Moment>, StoreError> {
        self.life.check_store()?;
        let (moment, is_loss) = {
            let mut writes = self.count();
            writes.made += 1;
            let moment = writes.death.filter(|(number, _)| *number == writes.made).map(|(_, moment)| moment);
            (moment, writes.loss == Some(writes.made))
        };
        if is_loss {
            self.take_away(cluster).await?;
        }
        if moment == Some(Moment::Before) {
            self.life.end();
            return Err(Life::dead_store());
        }
        Ok(moment)
    }

    /// Lets another process take the lock, and keep it.
    async fn take_away(&self, cluster: &str) -> Result<(), StoreError> {
        let other = self.inner.beside();
        other.break_lock(cluster).await?;
        let lease = other.lock(cluster, lock_info("another")).await?;
        *self.other.lock().unwrap_or_else(PoisonError::into_inner) = Some((lease, self.inner.fork()));
        Ok(())
    }

    /// Whether another process took the lock, and everything is since then as it was.
    pub fn is_as_it_was_lost(&self) -> bool {
        let other = self.other.lock().unwrap_or_else(PoisonError::into_inner);
        other.as_ref().is_some_and(|(_, then)| self.inner.has_the_same(then))
    }

    fn end<T>(&self, moment: Option<Moment>, result: T) -> Result<T, StoreError> {
        if moment.is_some() {
            self.life.end();
            return Err(Life::dead_store());
        }
        Ok(result)
    }
}

struct MortalLease {
    inner: Arc<dyn Lease>,
    lost: Arc<AtomicBool>,
}

impl Lease for MortalLease {
    fn epoch(&self) -> u64 {
        self.inner.epoch()
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.lost.load(Ordering::SeqCst) { Err(StoreError::LeaseLost) } else { self.inner.check() }
    }
}

struct MortalJournal {
    store: MortalStore,
    cluster: String,
    inner: Arc<dyn JournalWriter>,
}

#[async_trait]
impl JournalWriter for MortalJournal {
    async fn append(&self, records: &[String]) -> Result<(), StoreError> {
        let moment = self.store.begin(&self.cluster).await?;
        self.store.count().appended += 1;
        self.inner.append(records).await?;
        self.store.end(moment, ())
    }
}

#[async_trait]
impl StateStore for MortalStore {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        self.life.check_store()?;
        self.inner.clusters().await
    }

    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        self.life.check_store()?;
        self.inner.head(cluster).await
    }

    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError> {
        let moment = self.begin(cluster).await?;
        let version = self.inner.swap_head(cluster, expected, head).await?;
        self.end(moment, version)
    }

    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let moment = self.begin(cluster).await?;
        self.inner.put(cluster, key, bytes).await?;
        self.end(moment, ())
    }

    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.life.check_store()?;
        self.inner.get(cluster, key).await
    }

    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.life.check_store()?;
        self.inner.list(cluster, prefix).await
    }

    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError> {
        let moment = self.begin(cluster).await?;
        self.inner.delete(cluster, key).await?;
        self.end(moment, ())
    }

    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError> {
        self.life.check_store()?;
        let inner = self.inner.lock_beyond(cluster, info, epoch).await?;
        Ok(Arc::new(MortalLease { inner, lost: self.lost.clone() }))
    }

    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError> {
        self.life.check_store()?;
        self.inner.break_lock(cluster).await
    }

    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError> {
        let moment = self.begin(cluster).await?;
        let inner = self.inner.create_journal(cluster, run).await?;
        self.end(moment, ())?;
        Ok(Arc::new(MortalJournal { store: self.clone(), cluster: cluster.to_owned(), inner }))
    }

    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
        self.life.check_store()?;
        self.inner.read_journal(cluster, run).await
    }

    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError> {
        self.life.check_store()?;
        self.inner.journals(cluster).await
    }

    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError> {
        let moment = self.begin(cluster).await?;
        self.inner.delete_journal(cluster, run).await?;
        self.end(moment, ())
    }

    async fn remove(&self, cluster: &str) -> Result<(), StoreError> {
        let moment = self.begin(cluster).await?;
        self.inner.remove(cluster).await?;
        self.end(moment, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_dies_before_or_after_a_write_and_stays_dead() {
        for (moment, left) in [(Moment::Before, None), (Moment::After, Some(b"x".to_vec()))] {
            let store = MortalStore::new(Life::default());
            store.die_at(2, moment);
            store.put("c", "first", b"x").await.unwrap();
            assert!(store.put("c", "second", b"x").await.is_err());
            assert!(store.get("c", "first").await.is_err());
            let next = store.fork(Life::default());
            assert_eq!(next.get("c", "second").await.unwrap(), left);
        }
    }
}
