//! The port to where state is kept: one compare-and-swap head per cluster, immutable objects, journals, a lock.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Version of a head, opaque to everyone but its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockInfo {
    /// Random id of the lock.
    pub id: String,
    /// `user@host`.
    pub who: String,
    /// Process id on that host.
    pub process: u32,
    /// What for, such as `update cluster`.
    pub operation: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// Why the store did not do as asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else works on the cluster.
    #[error("cluster is locked by {} (process {}) since {} for `{}`", .0.who, .0.process, .0.since, .0.operation)]
    Locked(LockInfo),
    /// The head moved since it was read.
    #[error("the head moved since it was read")]
    Conflict,
    /// The lease was lost.
    #[error("the lock on the cluster was lost")]
    LeaseLost,
    /// The cluster is kept in another store by now.
    #[error("the cluster was moved to {to}")]
    Moved {
        /// That store.
        to: String,
    },
    /// The cluster is gone but for what an interrupted removal has left of its record.
    #[error("the removal of cluster {cluster} was interrupted")]
    BeingRemoved {
        /// The cluster's name.
        cluster: String,
    },
    /// A cluster that has no head any more left secrets or checkpoints behind.
    #[error("{objects} objects of an earlier cluster {cluster} are left, without its head")]
    Leftovers {
        /// The cluster's name.
        cluster: String,
        /// How many there are.
        objects: usize,
    },
    /// What is stored cannot be understood.
    #[error("{what} is damaged: {why}")]
    Damaged {
        /// Which object.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A newer kubewright wrote what is stored, in a way that this one cannot read.
    #[error("{what} has format {found}, but this kubewright knows only up to {known}")]
    Newer {
        /// Which object.
        what: String,
        /// Version of its format.
        found: u64,
        /// The newest version that is known here.
        known: u32,
    },
    /// The store could not be used.
    #[error("cannot {what}")]
    Unusable {
        /// What was tried, on which object.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

/// The right to change one cluster's state, held until dropped.
#[must_use = "the cluster is locked only as long as the lease lives"]
pub trait Lease: Send + Sync {
    /// Raised with every lease of a cluster.
    fn epoch(&self) -> u64;
    /// Whether the lease still holds; asked before each action.
    fn check(&self) -> Result<(), StoreError>;
}

/// A journal being written.
#[async_trait]
pub trait JournalWriter: Send + Sync {
    /// Appends records (one JSON text each) and returns when all of them are durable.
    async fn append(&self, records: &[String]) -> Result<(), StoreError>;
}

/// Keeps the state of clusters as bytes. What they mean is the engine's business.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// A name for messages, such as the directory.
    fn describe(&self) -> String;
    /// Where the head that the present one has replaced lies, for whoever repairs a store by hand.
    fn earlier_head(&self, cluster: &str) -> Option<String> {
        let _ = cluster;
        None
    }
    /// Names of the clusters that have a head, sorted.
    async fn clusters(&self) -> Result<Vec<String>, StoreError>;
    /// The head of a cluster.
    async fn head(&self, cluster: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError>;
    /// Replaces the head if it still is `expected` (`None`: if there is none).
    async fn swap_head(&self, cluster: &str, expected: Option<&Version>, head: &[u8]) -> Result<Version, StoreError>;
    /// Writes an immutable object; writing the same bytes again is fine, other bytes are [`StoreError::Conflict`].
    async fn put(&self, cluster: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError>;
    /// Reads an object.
    async fn get(&self, cluster: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Keys of the objects below a prefix, sorted.
    async fn list(&self, cluster: &str, prefix: &str) -> Result<Vec<String>, StoreError>;
    /// Deletes one object that nothing refers to any more.
    async fn delete(&self, cluster: &str, key: &str) -> Result<(), StoreError>;
    /// Locks a cluster at once or says who holds it.
    async fn lock(&self, cluster: &str, info: LockInfo) -> Result<Arc<dyn Lease>, StoreError> {
        self.lock_beyond(cluster, info, 0).await
    }
    /// The same with an epoch higher than `epoch`, for a cluster that was locked elsewhere before.
    async fn lock_beyond(&self, cluster: &str, info: LockInfo, epoch: u64) -> Result<Arc<dyn Lease>, StoreError>;
    /// Takes the lock from whoever holds it, and says who that was; `None` when nobody does. Who held it finds its lease
    /// lost, and what it still writes does not count.
    async fn break_lock(&self, cluster: &str) -> Result<Option<LockInfo>, StoreError>;
    /// Opens the journal of a new run.
    async fn create_journal(&self, cluster: &str, run: &str) -> Result<Arc<dyn JournalWriter>, StoreError>;
    /// All whole records of a run's journal; a torn last record is left out.
    async fn read_journal(&self, cluster: &str, run: &str) -> Result<Vec<String>, StoreError>;
    /// Runs that have a journal, sorted; their names begin with the time.
    async fn journals(&self, cluster: &str) -> Result<Vec<String>, StoreError>;
    /// Deletes the journal of a run that was folded into a checkpoint.
    async fn delete_journal(&self, cluster: &str, run: &str) -> Result<(), StoreError>;
    /// Removes a cluster with everything that belongs to it. The head goes last, so that what was interrupted is found
    /// again; what somebody else made meanwhile, under a later lease, stays.
    async fn remove(&self, cluster: &str) -> Result<(), StoreError>;
}
