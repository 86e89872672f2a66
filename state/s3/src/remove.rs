//! Removes a cluster: everything else before the head, so that a removal that was interrupted is found again, and the lease last.

use engine::StoreError;

use crate::store::S3Store;

/// How many objects are deleted between two looks at the lease.
const BATCH: usize = 1000;

impl S3Store {
    /// Deletes everything that there is of a cluster now, as long as the lease holds.
    ///
    /// What comes later is somebody else's, who took the lease from a process that slept: it is in no list made before.
    pub(crate) async fn remove_what_is_there(&self, cluster: &str) -> Result<(), StoreError> {
        let layout = &self.bucket.layout;
        let (head, lease) = (layout.head(cluster), layout.lease(cluster));
        let listed = self.bucket.list(&layout.cluster(cluster)).await?;
        let mut keys: Vec<String> =
            listed.into_iter().map(|object| object.key).filter(|key| *key != head && *key != lease).collect();
        while !keys.is_empty() {
            let batch = keys.split_off(keys.len().saturating_sub(BATCH));
            self.confirm(cluster).await?;
            self.bucket.delete_all(&batch).await?;
        }
        for last in [head, lease] {
            self.confirm(cluster).await?;
            self.bucket.delete(&last).await?;
        }
        Ok(())
    }
}
