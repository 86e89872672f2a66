//! What an open vault holds in memory: everything stored, and what waits to be.

use std::collections::{BTreeMap, BTreeSet};

use engine::{SecretDigests, Secrets};
use resource::{Digest, ResourceId, Secret};

use super::bundle::{Bundle, Entry};

/// What finds one version of one secret output.
pub(super) type EntryKey = (ResourceId, String, Digest);

/// The content of an open vault.
pub(super) struct Memory {
    /// The key from which all keyed digests derive.
    pub(super) digest_key: [u8; 32],
    /// Public keys of the operators.
    pub(super) recipients: BTreeSet<String>,
    /// Keys of the objects that were read or written.
    pub(super) objects: BTreeSet<String>,
    stored: BTreeMap<EntryKey, Secret>,
    waiting: BTreeMap<EntryKey, Secret>,
}

impl Memory {
    /// An empty vault for one operator.
    pub(super) fn new(digest_key: [u8; 32], operator: String) -> Self {
        Self {
            digest_key,
            recipients: BTreeSet::from([operator]),
            objects: BTreeSet::new(),
            stored: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Takes a stored bundle in. The first one's digest key is the cluster's.
    pub(super) fn take_in(&mut self, object: &str, bundle: Bundle) {
        if let (true, Some(key)) = (self.objects.is_empty(), bundle.digest_key()) {
            self.digest_key = key;
        }
        self.objects.insert(object.to_owned());
        self.recipients.extend(bundle.recipients);
        let entries = bundle.secrets.into_iter();
        self.stored
            .extend(entries.map(|entry| ((entry.resource, entry.output, entry.digest), Secret::new(entry.text))));
    }

    /// Queues what is not stored yet; gives the digests by output, and what must be stored for them to be valid.
    pub(super) fn enqueue(
        &mut self,
        resource: &ResourceId,
        secrets: &Secrets,
    ) -> (BTreeMap<String, Digest>, Vec<EntryKey>) {
        let mut digests = BTreeMap::new();
        let mut wanted = Vec::new();
        for (output, secret) in secrets {
            let digest = digest::of(&self.digest_key, secret);
            digests.insert(output.clone(), digest.clone());
            let key = (resource.clone(), output.clone(), digest);
            if !self.stored.contains_key(&key) {
                self.waiting.insert(key.clone(), secret.clone());
            }
            wanted.push(key);
        }
        (digests, wanted)
    }

    /// Whether all of these are stored.
    pub(super) fn has_all(&self, wanted: &[EntryKey]) -> bool {
        wanted.iter().all(|key| self.stored.contains_key(key))
    }

    /// A bundle of everything that waits, and what is in it.
    pub(super) fn bundle_of_waiting(&self) -> (Bundle, Vec<EntryKey>) {
        (self.bundle(&self.waiting, &self.recipients), self.waiting.keys().cloned().collect())
    }

    /// A bundle of everything that is stored, for these operators.
    pub(super) fn bundle_of_everything(&self, recipients: &BTreeSet<String>) -> Bundle {
        self.bundle(&self.stored, recipients)
    }

    fn bundle(&self, secrets: &BTreeMap<EntryKey, Secret>, recipients: &BTreeSet<String>) -> Bundle {
        let entry = |((resource, output, digest), secret): (&EntryKey, &Secret)| Entry {
            resource: resource.clone(),
            output: output.clone(),
            digest: digest.clone(),
            text: secret.reveal().to_owned(),
        };
        Bundle::new(&self.digest_key, recipients.clone(), secrets.iter().map(entry).collect())
    }

    /// Notes that these were stored in a new object.
    pub(super) fn written(&mut self, object: String, batch: &[EntryKey]) {
        self.objects.insert(object);
        for key in batch {
            if let Some(secret) = self.waiting.remove(key) {
                self.stored.insert(key.clone(), secret);
            }
        }
    }

    /// The secrets that these digests name, as far as they are stored.
    pub(super) fn find(&self, wanted: &SecretDigests) -> BTreeMap<ResourceId, Secrets> {
        let mut found: BTreeMap<ResourceId, Secrets> = BTreeMap::new();
        for (resource, output, digest) in keys(wanted) {
            let key = (resource.clone(), output.clone(), digest);
            if let Some(secret) = self.stored.get(&key) {
                found.entry(resource).or_default().insert(output, secret.clone());
            }
        }
        found
    }

    /// Whether something is stored that `live` does not refer to.
    pub(super) fn has_garbage(&self, live: &SecretDigests) -> bool {
        let live: BTreeSet<EntryKey> = keys(live).collect();
        self.stored.keys().any(|key| !live.contains(key))
    }

    /// Forgets what `live` does not refer to.
    pub(super) fn retain(&mut self, live: &SecretDigests) {
        let live: BTreeSet<EntryKey> = keys(live).collect();
        self.stored.retain(|key, _| live.contains(key));
    }
}

fn keys(live: &SecretDigests) -> impl Iterator<Item = EntryKey> {
    live.iter().flat_map(|(resource, digests)| {
        digests.iter().map(move |(output, digest)| (resource.clone(), output.clone(), digest.clone()))
    })
}

/// Keyed digests.
pub(super) mod digest {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use resource::{Digest, Secret};
    use sha2::Sha256;

    /// The digest under which the state records a secret: SHA-256 of its HMAC.
    pub(in super::super) fn of(key: &[u8; 32], secret: &Secret) -> Digest {
        Digest::of_bytes(&hmac(&derive(key, "record"), secret.reveal().as_bytes()))
    }

    /// A key for one purpose.
    pub(in super::super) fn derive(key: &[u8; 32], purpose: &str) -> [u8; 32] {
        hmac(key, purpose.as_bytes())
    }

    fn hmac(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
        // A key of 32 bytes is never refused; the block form avoids having to say so.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(key);
        Hmac::<Sha256>::new(&block).chain_update(bytes).finalize().into_bytes().into()
    }
}
