//! The keys of a target, parsed, and the check of the key that a server shows.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use engine::{HostError, HostTarget};
use russh::Preferred;
use russh::client;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKey, PublicKeyOrCertificate};

/// The keys of a target.
pub(crate) struct Keys {
    /// The only accepted host key.
    pub(crate) host: PublicKey,
    /// The client's key.
    pub(crate) client: Arc<PrivateKey>,
}

impl Keys {
    /// Parses them.
    pub(crate) fn of(target: &HostTarget) -> Result<Self, HostError> {
        let host = PublicKey::from_openssh(&target.host_key)
            .map_err(|error| unusable(target, "the pinned host key", error.into()))?;
        let client = russh::keys::decode_secret_key(target.private_key.reveal(), None)
            .map_err(|error| unusable(target, "the private key", error.into()))?;
        Ok(Self { host, client: Arc::new(client) })
    }

    /// The pinned key's fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(&self.host)
    }
}

fn unusable(target: &HostTarget, what: &str, source: Box<dyn std::error::Error + Send + Sync>) -> HostError {
    HostError::Unusable { name: target.name.clone(), what: what.to_owned(), source }
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// What is negotiated: the pinned key's algorithm (a server with several keys would show another one), and AES-GCM
/// first, which is the fastest where the processor knows AES.
pub(crate) fn preferred(host: &PublicKey) -> Preferred {
    use russh::cipher::{AES_128_CTR, AES_192_CTR, AES_256_CTR, AES_256_GCM, CHACHA20_POLY1305};
    Preferred {
        key: Cow::Owned(algorithms(host)),
        cipher: Cow::Owned(vec![AES_256_GCM, CHACHA20_POLY1305, AES_256_CTR, AES_192_CTR, AES_128_CTR]),
        compression: Cow::Owned(vec![russh::compression::NONE]),
        ..Preferred::default()
    }
}

/// Names under which a server can show this key; SHA-1 is not among them.
fn algorithms(key: &PublicKey) -> Vec<Algorithm> {
    match key.algorithm() {
        Algorithm::Rsa { .. } => {
            [HashAlg::Sha512, HashAlg::Sha256].map(|hash| Algorithm::Rsa { hash: Some(hash) }).to_vec()
        }
        other => vec![other],
    }
}

/// Accepts the pinned host key only, and notes the fingerprint of another one.
pub(crate) struct PinnedKey {
    pub(crate) pinned: PublicKey,
    pub(crate) shown: Arc<OnceLock<String>>,
}

impl client::Handler for PinnedKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let accepted = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                let same = key.key_data() == self.pinned.key_data();
                if !same {
                    let _ = self.shown.set(fingerprint(key));
                }
                same
            }
            // Not offered, so not expected.
            PublicKeyOrCertificate::Certificate(_) => false,
        };
        Ok(accepted)
    }
}
