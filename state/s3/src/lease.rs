//! The lease that a command holds: kept by its keeper while it lives, released when it is dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Lease, StoreError};

use crate::held::Held;
use crate::keeper::Keeper;

/// The leases that this process holds, by cluster: journals and heads ask here before they are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<BTreeMap<String, Arc<Held>>>>);

impl Leases {
    /// The lease of a cluster; also one that was lost and not yet dropped.
    pub(crate) fn of(&self, cluster: &str) -> Option<Arc<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).cloned()
    }

    fn add(&self, cluster: &str, held: Arc<Held>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.to_owned(), held);
    }

    fn remove(&self, cluster: &str, held: &Arc<Held>) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // After a lost lease this process may have taken another one.
        if leases.get(cluster).is_some_and(|present| Arc::ptr_eq(present, held)) {
            leases.remove(cluster);
        }
    }
}

/// A held lease.
pub(crate) struct S3Lease {
    cluster: String,
    held: Arc<Held>,
    leases: Leases,
    keeper: Keeper,
}

impl S3Lease {
    pub(crate) fn new(cluster: &str, held: Arc<Held>, leases: Leases, keeper: Keeper) -> Self {
        leases.add(cluster, held.clone());
        Self { cluster: cluster.to_owned(), held, leases, keeper }
    }

    /// From now on a drop releases the lease. Before, the work of taking it over is not done, and must not count as done.
    pub(crate) fn settle(&self) {
        self.keeper.settle();
    }
}

impl Lease for S3Lease {
    fn epoch(&self) -> u64 {
        self.held.epoch
    }

    fn check(&self) -> Result<(), StoreError> {
        self.held.check()
    }
}

impl Drop for S3Lease {
    fn drop(&mut self) {
        self.held.end();
        self.leases.remove(&self.cluster, &self.held);
        self.keeper.stop();
    }
}
