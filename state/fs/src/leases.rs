//! The leases that this process holds, by cluster: whatever is written asks here first.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::lock::FsLease;

/// Leases of one store.
#[derive(Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<BTreeMap<String, Weak<FsLease>>>>);

impl Leases {
    /// The lease of a cluster; also one that was lost and not yet dropped.
    pub(crate) fn of(&self, cluster: &str) -> Option<Arc<FsLease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(cluster)?.upgrade()
    }

    pub(crate) fn add(&self, cluster: &str, lease: &Arc<FsLease>) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leases.retain(|_, lease| lease.strong_count() > 0);
        leases.insert(cluster.to_owned(), Arc::downgrade(lease));
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Leases")
    }
}
