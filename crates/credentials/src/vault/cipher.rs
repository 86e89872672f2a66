//! Encrypting and decrypting bundles with age.

use std::io::{Read as _, Write as _};
use std::iter;

use age::{DecryptError, Decryptor, EncryptError, Encryptor};

use super::VaultError;
use super::bundle::Bundle;
use super::operator::{OperatorKey, recipients};

/// Encrypts a bundle for its recipients.
pub(super) fn seal(bundle: &Bundle) -> Result<Vec<u8>, VaultError> {
    let plain = serde_json::to_vec(bundle).map_err(|error| VaultError::Encrypt(error.to_string()))?;
    let recipients = recipients(&bundle.recipients)?;
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| &**recipient as &dyn age::Recipient));
    let encryptor = encryptor.map_err(|error| match error {
        EncryptError::Plugin(_) => VaultError::Plugin(error.to_string()),
        other => VaultError::Encrypt(other.to_string()),
    })?;
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
    let identity = operator.identity()?;
    let mut reader = decryptor.decrypt(iter::once(identity.as_ref())).map_err(|error| match error {
        DecryptError::NoMatchingKeys => VaultError::NotForUs { cluster: cluster.to_owned(), public: operator.public() },
        DecryptError::MissingPlugin { .. } | DecryptError::Plugin(_) => VaultError::Plugin(error.to_string()),
        other => damaged(other.to_string()),
    })?;
    let mut plain = Vec::with_capacity(sealed.len());
    reader.read_to_end(&mut plain).map_err(|error| damaged(error.to_string()))?;
    Ok(plain)
}
