//! A state store in memory: proof that the port is honest, and the store of tests.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::{JournalWriter, Lease, LockInfo, StateStore, StoreError, Version};

#[derive(Default, Clone)]
struct Cluster {
    head: Option<(Vec<u8>, u64)>,
    objects: BTreeMap<String, Vec<u8>>,
    journals: BTreeMap<String, Vec<String>>,
    lock: Option<LockInfo>,
    epoch: u64,
}

impl Cluster {
    /// Whether what is written under a lease of this epoch counts; what is written under none does.
    fn check(&self, epoch: Option<u64>) -> Result<(), StoreError> {
        let holds = |epoch| self.lock.is_some() && self.epoch == epoch;
        if epoch.is_none_or(holds) { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

type Shared = Arc<Mutex<BTreeMap<String, Cluster>>>;
/// Epochs of the leases that one process holds, by cluster.
type Leases = Arc<Mutex<BTreeMap<String, u64>>>;

/// A state store that lives as long as the process. Copies are handles of one process; [`MemoryStore::beside`] is another's.
#[derive(Clone)]
pub struct MemoryStore {
    name: String,
    clusters: Shared,
    leases: Leases,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::named("memory")
    }
}

impl MemoryStore {
    /// An empty store that is called so in messages.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), clusters: Shared::default(), leases: Leases::default() }
    }

    /// The same store as another process has it.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { leases: Leases::default(), ..self.clone() }
    }

    /// Whether another one has the same heads, objects and journals.
    pub fn has_the_same(&self, other: &Self) -> bool {
        let contents = |store: &Self| {
            let clusters = store.clusters.lock().unwrap_or_else(PoisonError::into_inner).clone();
            clusters
                .into_iter()
                .map(|(name, cluster)| (name, cluster.head, cluster.objects, cluster.journals))
                .collect()
        };
        let (one, other): (Vec<_>, Vec<_>) = (contents(self), contents(other));
        one == other
    }

    /// A copy that goes its own way from now on, with nothing locked.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for cluster in clusters.values_mut() {
            cluster.lock = None;
        }
        Self { name: self.name.clone(), clusters: Arc::new(Mutex::new(clusters)), leases: Leases::default() }
    }

    /// Epoch of the lease that this process holds, also if it was lost and not yet dropped.
    fn epoch(&self, cluster: &str) -> Option<u64> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).copied()
    }

    /// Changes a cluster, unless this process's lease of it was lost.
    fn change<T>(
        &self,
        cluster: &str,
        epoch: Option<u64>,
        action: impl FnOnce(&mut Cluster) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(cluster, |cluster| {
            cluster.check(epoch)?;
            action(cluster)
        })
    }

    fn with<T>(&self, cluster: &str, action: impl FnOnce(&mut Cluster) -> T) -> T {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        action(clusters.entry(cluster.to_owned()).or_default())
    }
}

struct MemoryLease {
    store: MemoryStore,
    cluster: String,
    epoch: u64,
}

impl Lease for MemoryLease {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<(), StoreError> {
        let clusters = self.store.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        clusters.get(&self.cluster).map_or(Err(StoreError::LeaseLost), |cluster| cluster.check(Some(self.epoch)))
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        let mut clusters = self.store.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = clusters.get_mut(&self.cluster).filter(|cluster| cluster.check(Some(self.epoch)).is_ok())
        {
            cluster.lock = None;
        }
        let mut leases = self.store.leases.lock().unwrap_or_else(PoisonError::into_inner);
        // After a lost lease this process may have taken another one.
        if leases.get(&self.cluster) == Some(&self.epoch) {
            leases.remove(&self.cluster);
        }
    }
}

struct MemoryJournal {
    store: MemoryStore,
    cluster: String,
    run: String,
    /// Epoch of the lease that it was opened under.
    epoch: Option<u64>,
}

#[async_trait]
impl JournalWriter for MemoryJournal {
    async fn append(&self, records: &[String]) -> Result<(), StoreError> {
        self.store.change(&self.cluster, self.epoch, |cluster| {
            cluster.journals.entry(self.run.clone()).or_default().extend_from_slice(records);
            Ok(())
        })
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    fn describe(&self) -> String {
        self.name.clone()
    }

    async fn clusters(&self) -> Result<Vec<String>, StoreError> {
        let clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(clusters.iter().filter(|(_, cluster)| cluster.head.is_some()).map(|(name, _)| name.clone()).collect())
    }

    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        Ok(self.with(cluster, |cluster| {
            cluster.head.as_ref().map(|(bytes, version)| (bytes.clone(), Version(version.to_string())))
        }))
    }

    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError> {
        self.change(cluster, self.epoch(cluster), |cluster| {
            let current = cluster.head.as_ref().map(|(_, version)| Version(version.to_string()));
            if current.as_ref() != expected {
                return Err(StoreError::Conflict);
            }
            let next = cluster.head.as_ref().map_or(1, |(_, version)| version + 1);
            cluster.head = Some((head.to_vec(), next));
            Ok(Version(next.to_string()))
        })
    }

    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.change(cluster, self.epoch(cluster), |cluster| match cluster.objects.get(key) {
            Some(present) if present != bytes => Err(StoreError::Conflict),
            _ => {
                cluster.objects.insert(key.to_owned(), bytes.to_vec());
                Ok(())
            }
        })
    }

    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.with(cluster, |cluster| cluster.objects.get(key).cloned()))
    }

    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self
            .with(cluster, |cluster| cluster.objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()))
    }

    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError> {
        self.change(cluster, self.epoch(cluster), |cluster| {
            cluster.objects.remove(key);
            Ok(())
        })
    }

    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError> {
        let epoch = self.with(cluster, |cluster| {
            if let Some(holder) = &cluster.lock {
                return Err(StoreError::Locked(holder.clone()));
            }
            cluster.lock = Some(info);
            cluster.epoch = cluster.epoch.max(epoch) + 1;
            Ok(cluster.epoch)
        })?;
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.to_owned(), epoch);
        Ok(Arc::new(MemoryLease { store: self.clone(), cluster: cluster.to_owned(), epoch }))
    }

    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError> {
        Ok(self.with(cluster, |cluster| cluster.lock.take()))
    }

    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError> {
        let epoch = self.epoch(cluster);
        self.change(cluster, epoch, |cluster| match cluster.journals.entry(run.to_owned()) {
            Entry::Occupied(_) => Err(StoreError::Unusable {
                what: format!("open the journal of run {run}"),
                source: std::io::ErrorKind::AlreadyExists.into(),
            }),
            Entry::Vacant(free) => {
                free.insert(Vec::new());
                Ok(())
            }
        })?;
        Ok(Arc::new(MemoryJournal { store: self.clone(), cluster: cluster.to_owned(), run: run.to_owned(), epoch }))
    }

    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.with(cluster, |cluster| cluster.journals.get(run).cloned().unwrap_or_default()))
    }

    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.with(cluster, |cluster| cluster.journals.keys().cloned().collect()))
    }

    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError> {
        self.change(cluster, self.epoch(cluster), |cluster| {
            cluster.journals.remove(run);
            Ok(())
        })
    }

    async fn remove(&self, cluster: &str) -> Result<(), StoreError> {
        self.change(cluster, self.epoch(cluster), |cluster| {
            *cluster = Cluster::default();
            Ok(())
        })
    }
}
