//! The plain text of one vault object, and its name.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resource::{Digest, ResourceId};
use serde::{Deserialize, Serialize};

use super::cipher;
use super::operator::OperatorKey;
use super::{SECRETS, VaultError};

/// Version written into bundles.
const FORMAT: u32 = 1;

/// Secrets that were written together. Has no `Debug`: it is the secrets.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Bundle {
    format: u32,
    digest_key: String,
    /// Public keys of the operators for whom it is encrypted.
    pub(super) recipients: BTreeSet<String>,
    /// The secrets.
    pub(super) secrets: Vec<Entry>,
}

/// One secret output.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Entry {
    /// Whose output.
    pub(super) resource: ResourceId,
    /// Which output.
    pub(super) output: String,
    /// The keyed digest under which the state records it.
    pub(super) digest: Digest,
    /// The secret.
    pub(super) text: String,
}

impl Bundle {
    /// A bundle with these secrets.
    pub(super) fn new(digest_key: &[u8; 32], recipients: BTreeSet<String>, secrets: Vec<Entry>) -> Self {
        Self { format: FORMAT, digest_key: STANDARD.encode(digest_key), recipients, secrets }
    }

    /// The cluster's digest key; `None` when it has not 32 bytes.
    pub(super) fn digest_key(&self) -> Option<[u8; 32]> {
        STANDARD.decode(&self.digest_key).ok()?.try_into().ok()
    }
}

/// The key of the object with these bytes.
pub(super) fn object_key(sealed: &[u8]) -> String {
    format!("{SECRETS}{}", Digest::of_bytes(sealed))
}

/// Checks, decrypts and reads an object.
pub(super) fn open(key: &str, sealed: &[u8], operator: &OperatorKey, cluster: &str) -> Result<Bundle, VaultError> {
    let damaged = |why: String| VaultError::Damaged { object: key.to_owned(), why };
    if object_key(sealed) != key {
        return Err(damaged("its content does not have the digest that it is named by".to_owned()));
    }
    let plain = cipher::unseal(sealed, operator, key, cluster)?;
    // The parser's message may quote a secret: only the place is kept.
    let bundle: Bundle = serde_json::from_slice(&plain)
        .map_err(|error| damaged(format!("unexpected content in line {}, column {}", error.line(), error.column())))?;
    if bundle.format != FORMAT {
        return Err(damaged(format!("it has format {}, this program reads {FORMAT}", bundle.format)));
    }
    if bundle.digest_key().is_none() {
        return Err(damaged("its digest key has not 32 bytes".to_owned()));
    }
    Ok(bundle)
}
