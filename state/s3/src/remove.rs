//! Removes a cluster: the head first, so that a half removed cluster is none, and the lease last.

use engine::StoreError;

use crate::bucket::Bucket;

/// How often is looked whether something is left: a list is a moment's picture.
const ROUNDS: u32 = 5;

/// Deletes everything of a cluster.
pub(crate) async fn remove(bucket: &Bucket, cluster: &str) -> Result<(), StoreError> {
    bucket.delete(&bucket.layout.head(cluster)).await?;
    let lease = bucket.layout.lease(cluster);
    for _ in 0..ROUNDS {
        let listed = bucket.list(&bucket.layout.cluster(cluster)).await?;
        let keys: Vec<String> = listed.into_iter().map(|object| object.key).filter(|key| *key != lease).collect();
        if keys.is_empty() {
            break;
        }
        bucket.delete_all(&keys).await?;
    }
    bucket.delete(&lease).await
}
