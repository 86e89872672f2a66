//! The port to where secret outputs are kept, encrypted.

use std::collections::BTreeMap;

use async_trait::async_trait;
use resource::{Digest, ResourceId, Secret};

use crate::{Lease, StoreError};

/// Secret outputs of one resource by name.
pub type Secrets = BTreeMap<String, Secret>;

/// Where a store keeps the encrypted objects of a cluster.
pub const SECRETS: &str = "secrets/";

/// Keyed digests of secret outputs by resource and output, as the state records them.
pub type SecretDigests = BTreeMap<ResourceId, BTreeMap<String, Digest>>;

/// Keeps secret outputs of one cluster's resources.
#[async_trait]
pub trait SecretVault: Send + Sync {
    /// Stores a resource's secrets durably and gives their keyed digests, which the record keeps. Whoever does it shows a
    /// lease of the cluster.
    async fn put(
        &self,
        lease: &dyn Lease,
        resource: &ResourceId,
        secrets: &Secrets,
    ) -> Result<BTreeMap<String, Digest>, StoreError>;

    /// Reads the secrets of many resources, as they were when the digests were given.
    async fn get(&self, wanted: &SecretDigests) -> Result<BTreeMap<ResourceId, Secrets>, StoreError>;

    /// Keeps what `in_use` names and deletes everything else, unless that would change nothing. Whoever does it shows a lease
    /// of the cluster.
    ///
    /// `in_use` must be what the stored state refers to: other versions are gone afterwards.
    async fn compact(&self, lease: &dyn Lease, in_use: &SecretDigests) -> Result<(), StoreError>;

    /// A key for keyed digests of secrets within `scope`, derived from the cluster's own.
    fn digest_key(&self, scope: &str) -> [u8; 32];
}
