//! The vault: secret outputs of one cluster, encrypted with age in the state store.
//!
//! # Format (version 1)
//!
//! Below `secrets/` lie immutable objects named by the SHA-256 of their bytes (64 hex characters). Each is an age v1 file
//! (binary, one recipient per operator: X25519, or what a plugin makes of `age1NAME1…`) whose plain text is one JSON object, a *bundle*:
//!
//! ```json
//! {"format": 1, "digestKey": "<32 bytes, base64>", "recipients": ["age1…"],
//!  "secrets": [{"resource": "authority/etcd", "output": "key", "digest": "<64 hex>", "text": "…"}]}
//! ```
//!
//! - The state records of each secret output only its keyed digest ([`resource::Recorded::secrets`]): SHA-256 of
//!   HMAC-SHA-256 of the text under a key derived from `digestKey`. (resource, output, digest) finds the text, whichever
//!   bundle holds it, so a record always gets the version it was made with, and a bundle that nobody refers to is harmless.
//! - Secrets are written in groups: while one bundle is being written, everything that arrives goes into the next. A run
//!   that makes 60 certificates writes a handful of objects. Opening a vault is one listing and one parallel read.
//! - [`Vault::compact`] writes what is still referred to into one bundle and deletes the others. New first, then the old
//!   ones go: a crash between leaves copies, never gaps.
//! - Every bundle carries the cluster's digest key and the operators' public keys, so no object is needed to read another.

mod bundle;
mod cipher;
mod error;
mod key_file;
mod memory;
mod operator;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::vault::SECRETS;
use engine::{Lease, Randomness, SecretDigests, SecretVault, Secrets, StateStore, StoreError};
use futures::future::try_join_all;
use resource::{Digest, ResourceId};
use tokio::sync::OnceCell;

use bundle::{Bundle, object_key};
pub use error::VaultError;
use memory::{EntryKey, Memory, digest};
pub use operator::OperatorKey;

/// How often a listing is repeated when objects vanish while they are read, because somebody else compacts.
const READ_ATTEMPTS: usize = 5;

/// The secret outputs of one cluster's resources, all in memory once opened.
///
/// Reading needs no lock on the cluster. Whoever writes ([`SecretVault::put`], [`Vault::compact`], [`Vault::set_operators`])
/// shows a lease, which is looked at before each object is written or deleted; the first write looks for bundles that
/// appeared since the vault was opened.
pub struct Vault {
    store: Arc<dyn StateStore>,
    cluster: String,
    operator: OperatorKey,
    /// Where the operator's key goes before anything is encrypted for it, when it is a new one.
    unkept: Mutex<Option<PathBuf>>,
    memory: Mutex<Memory>,
    writing: tokio::sync::Mutex<()>,
    fresh: OnceCell<()>,
}

impl Vault {
    /// Opens the vault of `cluster` with the operator's key in `key_file`.
    ///
    /// A missing key file is an error when the vault is not empty. When it is, nothing is written until the first secret is
    /// put: then the key file is made, too (mode 0600).
    pub async fn open(
        store: Arc<dyn StateStore>,
        cluster: &str,
        key_file: &Path,
        randomness: &dyn Randomness,
    ) -> Result<Self, VaultError> {
        let sealed = read_objects(store.as_ref(), cluster, &BTreeSet::new()).await?;
        let (operator, unkept) = match key_file::read(key_file)? {
            Some(operator) => (operator, None),
            None if sealed.is_empty() => (OperatorKey::generate(), Some(key_file.to_owned())),
            None => return Err(VaultError::NoKey { cluster: cluster.to_owned(), path: key_file.to_owned() }),
        };
        let mut digest_key = [0; 32];
        randomness.fill(&mut digest_key);
        let mut memory = Memory::new(digest_key, operator.public());
        for (key, bundle) in open_bundles(sealed, operator.clone(), cluster).await? {
            memory.take_in(&key, bundle);
        }
        let (memory, writing) = (Mutex::new(memory), tokio::sync::Mutex::new(()));
        let unkept = Mutex::new(unkept);
        Ok(Self { store, cluster: cluster.to_owned(), operator, unkept, memory, writing, fresh: OnceCell::new() })
    }

    /// Public key of whoever owns `key_file`, which is made (mode 0600) when there is none.
    pub fn public_key(key_file: &Path) -> Result<String, VaultError> {
        let operator = key_file::read(key_file)?.map_or_else(|| key_file::create(key_file), Ok)?;
        Ok(operator.public())
    }

    /// Public keys of the operators who can read the vault, this one's included.
    pub fn operators(&self) -> BTreeSet<String> {
        self.memory().recipients.clone()
    }

    /// Public key of the operator who opened the vault; another operator needs it to grant access.
    pub fn own_public_key(&self) -> String {
        self.operator.public()
    }

    /// Encrypts everything again for exactly these operators (`age1…`). This one must be among them.
    ///
    /// Whoever is taken out may still have copies: replace the secrets, too.
    pub async fn set_operators(&self, lease: &dyn Lease, operators: BTreeSet<String>) -> Result<(), VaultError> {
        if !operators.contains(&self.operator.public()) {
            return Err(VaultError::WouldLockOut);
        }
        for operator in &operators {
            operator::check_recipient(operator)?;
        }
        let _turn = self.writing.lock().await;
        self.refresh().await?;
        let (bundle, old) = {
            let memory = self.memory();
            (memory.bundle_of_everything(&operators), memory.objects.clone())
        };
        self.rewrite(lease, bundle, old).await?;
        self.memory().recipients = operators;
        Ok(())
    }

    /// Replaces the objects `old` by one new bundle.
    async fn rewrite(&self, lease: &dyn Lease, bundle: Bundle, old: BTreeSet<String>) -> Result<(), VaultError> {
        let key = self.write(lease, bundle).await?;
        let gone: Vec<&String> = old.iter().filter(|object| **object != key).collect();
        try_join_all(gone.iter().map(|object| self.forget(lease, object))).await?;
        let mut memory = self.memory();
        memory.objects.retain(|object| !old.contains(object));
        memory.objects.insert(key);
        Ok(())
    }

    /// Keeps a new key of the operator's: what is encrypted for a key that nobody has is lost.
    fn keep_key(&self) -> Result<(), VaultError> {
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = unkept.as_ref() else { return Ok(()) };
        if key_file::keep(path, self.operator.clone())?.public() != self.operator.public() {
            let why = "was made by another process just now: run the same command again";
            return Err(VaultError::KeyFile { path: path.clone(), why });
        }
        *unkept = None;
        Ok(())
    }

    async fn forget(&self, lease: &dyn Lease, object: &str) -> Result<(), StoreError> {
        lease.check()?;
        self.store.delete(&self.cluster, object).await
    }

    /// Encrypts and stores one bundle; gives its key.
    async fn write(&self, lease: &dyn Lease, bundle: Bundle) -> Result<String, VaultError> {
        self.keep_key()?;
        let sealed = blocking(move || cipher::seal(&bundle)).await??;
        let key = object_key(&sealed);
        lease.check()?;
        self.store.put(&self.cluster, &key, &sealed).await?;
        Ok(key)
    }

    /// Takes in what others have written since the vault was opened.
    async fn refresh(&self) -> Result<(), VaultError> {
        let known = self.memory().objects.clone();
        let sealed = read_objects(self.store.as_ref(), &self.cluster, &known).await?;
        for (key, bundle) in open_bundles(sealed, self.operator.clone(), &self.cluster).await? {
            self.memory().take_in(&key, bundle);
        }
        Ok(())
    }

    /// Makes sure that `wanted` is durable: writes everything that waits, or finds that somebody else just did.
    ///
    /// What waits is cleared only after it was written, so a dropped future loses nobody's secrets.
    async fn commit(&self, lease: &dyn Lease, wanted: &[EntryKey]) -> Result<(), VaultError> {
        let _turn = self.writing.lock().await;
        let (bundle, batch) = {
            let memory = self.memory();
            if memory.has_all(wanted) {
                return Ok(());
            }
            memory.bundle_of_waiting()
        };
        let key = self.write(lease, bundle).await?;
        self.memory().written(key, &batch);
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SecretVault for Vault {
    async fn put(
        &self,
        lease: &dyn Lease,
        resource: &ResourceId,
        secrets: &Secrets,
    ) -> Result<BTreeMap<String, Digest>, StoreError> {
        self.fresh.get_or_try_init(|| self.refresh()).await?;
        let (digests, wanted) = self.memory().enqueue(resource, secrets);
        self.commit(lease, &wanted).await?;
        Ok(digests)
    }

    /// What is not in the vault is left out: whoever asked knows what it means.
    async fn get(&self, wanted: &SecretDigests) -> Result<BTreeMap<ResourceId, Secrets>, StoreError> {
        Ok(self.memory().find(wanted))
    }

    async fn compact(&self, lease: &dyn Lease, in_use: &SecretDigests) -> Result<(), StoreError> {
        lease.check()?;
        let _turn = self.writing.lock().await;
        self.refresh().await?;
        let (bundle, old) = {
            let mut memory = self.memory();
            if memory.objects.len() <= 1 && !memory.has_garbage(in_use) {
                return Ok(());
            }
            memory.retain(in_use);
            (memory.bundle_of_everything(&memory.recipients), memory.objects.clone())
        };
        Ok(self.rewrite(lease, bundle, old).await?)
    }

    fn digest_key(&self, scope: &str) -> [u8; 32] {
        let key = self.memory().digest_key;
        digest::derive(&key, &format!("scope {scope}"))
    }
}

/// Bytes of all objects but `known`, by key.
async fn read_objects(
    store: &dyn StateStore,
    cluster: &str,
    known: &BTreeSet<String>,
) -> Result<Vec<(String, Vec<u8>)>, VaultError> {
    for _ in 0..READ_ATTEMPTS {
        let keys = store.list(cluster, SECRETS).await?;
        let new = keys.into_iter().filter(|key| !known.contains(key));
        let read = try_join_all(new.map(|key| async move {
            let bytes = store.get(cluster, &key).await?;
            Ok::<_, StoreError>(bytes.map(|bytes| (key, bytes)))
        }))
        .await?;
        if let Some(objects) = read.into_iter().collect() {
            return Ok(objects);
        }
    }
    Err(VaultError::KeepsChanging)
}

async fn open_bundles(
    sealed: Vec<(String, Vec<u8>)>,
    operator: OperatorKey,
    cluster: &str,
) -> Result<Vec<(String, Bundle)>, VaultError> {
    let cluster = cluster.to_owned();
    let work = move || {
        let open = |(key, bytes): (String, Vec<u8>)| {
            let bundle = bundle::open(&key, &bytes, &operator, &cluster)?;
            Ok((key, bundle))
        };
        sealed.into_iter().map(open).collect()
    };
    blocking(work).await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| VaultError::Task(error.to_string()))
}

#[cfg(test)]
mod tests;
