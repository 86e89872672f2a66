//! Secret outputs in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::{Lease, SecretDigests, SecretVault, Secrets, StoreError};
use resource::{Digest, ResourceId, Secret};

use crate::Life;

type Kept = BTreeMap<(ResourceId, String, Digest), Secret>;

/// Keeps secrets as they are, for as long as the test runs.
#[derive(Clone, Default)]
pub struct MemoryVault {
    kept: Arc<Mutex<Kept>>,
    life: Life,
}

impl MemoryVault {
    /// An empty vault of the process that `life` is of.
    pub fn new(life: Life) -> Self {
        Self { kept: Arc::default(), life }
    }

    /// The same secrets in a vault of another process that goes its own way.
    #[must_use]
    pub fn fork(&self, life: Life) -> Self {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { kept: Arc::new(Mutex::new(kept)), life }
    }

    /// Every secret that is kept.
    pub fn all(&self) -> Vec<Secret> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

fn digest(resource: &ResourceId, name: &str, secret: &Secret) -> Digest {
    Digest::of_bytes(format!("test key\0{resource}\0{name}\0{}", secret.reveal()).as_bytes())
}

#[async_trait]
impl SecretVault for MemoryVault {
    async fn put(
        &self,
        lease: &dyn Lease,
        resource: &ResourceId,
        secrets: &Secrets,
    ) -> Result<BTreeMap<String, Digest>, StoreError> {
        self.life.check_store()?;
        lease.check()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let put = |(name, secret): (&String, &Secret)| {
            let digest = digest(resource, name, secret);
            kept.insert((resource.clone(), name.clone(), digest.clone()), secret.clone());
            (name.clone(), digest)
        };
        Ok(secrets.iter().map(put).collect())
    }

    async fn get(&self, wanted: &SecretDigests) -> Result<BTreeMap<ResourceId, Secrets>, StoreError> {
        self.life.check_store()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |resource: &ResourceId, names: &BTreeMap<String, Digest>| -> Secrets {
            let find = |(name, digest): (&String, &Digest)| {
                let secret = kept.get(&(resource.clone(), name.clone(), digest.clone()))?;
                Some((name.clone(), secret.clone()))
            };
            names.iter().filter_map(find).collect()
        };
        Ok(wanted.iter().map(|(resource, names)| (resource.clone(), of(resource, names))).collect())
    }

    async fn compact(&self, lease: &dyn Lease, in_use: &SecretDigests) -> Result<(), StoreError> {
        self.life.check_store()?;
        lease.check()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(resource, name, digest), _| {
            in_use.get(resource).and_then(|names| names.get(name)) == Some(digest)
        });
        Ok(())
    }

    fn digest_key(&self, scope: &str) -> [u8; 32] {
        let mut key = [0; 32];
        key.iter_mut().zip(scope.bytes().cycle()).for_each(|(slot, byte)| *slot = byte);
        key
    }
}
