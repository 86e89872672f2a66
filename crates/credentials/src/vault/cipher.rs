//! Encrypting and decrypting bundles with age.

use std::io::{Read as _, Write as _};
use std::iter;

use age::secrecy::ExposeSecret as _;
use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor};
use resource::Secret;

use super::VaultError;
use super::bundle::Bundle;

/// The private key of an operator (age X25519).
#[derive(Clone)]
pub struct OperatorKey(Identity);

impl OperatorKey {
    /// A new key, from the operating system's randomness.
    pub(super) fn generate() -> Self {
        Self(Identity::generate())
    }

    /// Reads `AGE-SECRET-KEY-1…`; `None` when it is something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The key as text.
    pub(super) fn text(&self) -> Secret {
        Secret::new(self.0.to_string().expose_secret())
    }

    /// The public key, `age1…`.
    pub fn public(&self) -> String {
        self.0.to_public().to_string()
    }
}

/// Whether a text is an operator's public key.
pub(super) fn check_recipient(text: &str) -> Result<Recipient, VaultError> {
    text.parse().map_err(|_| VaultError::Operator(text.to_owned()))
}

/// Encrypts a bundle for its recipients.
pub(super) fn seal(bundle: &Bundle) -> Result<Vec<u8>, VaultError> {
    let plain = serde_json::to_vec(bundle).map_err(|error| VaultError::Encrypt(error.to_string()))?;
    let recipients: Vec<Recipient> =
        bundle.recipients.iter().map(|text| check_recipient(text)).collect::<Result<_, _>>()?;
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn age::Recipient))
        .map_err(|error| VaultError::Encrypt(error.to_string()))?;
    let mut sealed = Vec::with_capacity(plain.len() + 1024);
    let written = encryptor.wrap_output(&mut sealed).and_then(|mut writer| {
        writer.write_all(&plain)?;
        writer.finish()
    });
    written.map_err(|error| VaultError::Encrypt(error.to_string()))?;
    Ok(sealed)
}

/// Decrypts the bytes of `object`.
pub(super) fn unseal(
    sealed: &[u8],
    operator: &OperatorKey,
    object: &str,
    cluster: &str,
) -> Result<Vec<u8>, VaultError> {
    let damaged = |why: String| VaultError::Damaged { object: object.to_owned(), why };
    let decryptor = Decryptor::new_buffered(sealed).map_err(|error| damaged(error.to_string()))?;
    let mut reader = decryptor.decrypt(iter::once(&operator.0 as &dyn age::Identity)).map_err(|error| match error {
        DecryptError::NoMatchingKeys => VaultError::NotForUs { cluster: cluster.to_owned(), public: operator.public() },
        other => damaged(other.to_string()),
    })?;
    let mut plain = Vec::with_capacity(sealed.len());
    reader.read_to_end(&mut plain).map_err(|error| damaged(error.to_string()))?;
    Ok(plain)
}
