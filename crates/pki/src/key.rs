//! Private keys (ECDSA P-256) in the PEM form that kubeadm and Go's tls package read.

use rcgen::{KeyPair, PublicKeyData as _};
use resource::Secret;
use sha2::{Digest as _, Sha256};

use crate::PkiError;

/// A private key. Prints nothing of itself.
///
/// New keys are ECDSA P-256 in PKCS #8 (`PRIVATE KEY`), which Go's `tls.X509KeyPair` and client-go's
/// `keyutil.ParsePrivateKeyPEM` (kubeadm, every control plane component) read. Keys made elsewhere may also be RSA, and
/// PKCS #1 or SEC 1 on disk.
pub struct PrivateKey {
    pair: KeyPair,
    pem: Secret,
}

impl PrivateKey {
    /// A new ECDSA P-256 key, from aws-lc's own randomness.
    pub fn generate() -> Result<Self, PkiError> {
        let pair = KeyPair::generate().map_err(|source| PkiError::Key { what: "generate", source })?;
        let pem = Secret::new(pair.serialize_pem());
        Ok(Self { pair, pem })
    }

    /// Reads an unencrypted key in PKCS #8, PKCS #1 or SEC 1 form; other PEM blocks before it are skipped.
    pub fn from_pem(pem: &Secret) -> Result<Self, PkiError> {
        let pair = KeyPair::from_pem(private_key_block(pem.reveal()))
            .map_err(|source| PkiError::Key { what: "read", source })?;
        Ok(Self { pair, pem: pem.clone() })
    }

    /// The key as PEM text.
    pub fn pem(&self) -> &Secret {
        &self.pem
    }

    /// The public key in PKIX form (`PUBLIC KEY`), as `sa.pub` has it.
    pub fn public_pem(&self) -> String {
        self.pair.public_key_pem()
    }

    /// The public key as DER-encoded SubjectPublicKeyInfo.
    pub fn public_der(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    /// `sha256:` and the hex digest of the SubjectPublicKeyInfo.
    pub fn public_key_hash(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(self.public_der())))
    }

    pub(crate) fn into_pair(self) -> KeyPair {
        self.pair
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The text from the first private key on: `openssl ecparam -genkey` writes `EC PARAMETERS` before it.
fn private_key_block(text: &str) -> &str {
    let starts = text.match_indices("-----BEGIN ");
    starts
        .map(|(at, _)| text.get(at..).unwrap_or_default())
        .find(|rest| rest.lines().next().is_some_and(|line| line.trim_end().ends_with("PRIVATE KEY-----")))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_survives_pem() {
        let key = PrivateKey::generate().unwrap();
        assert!(key.pem().reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(key.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let again = PrivateKey::from_pem(key.pem()).unwrap();
        assert_eq!(again.public_der(), key.public_der());
    }

    #[test]
    fn a_key_never_prints_itself() {
        assert_eq!(format!("{:?}", PrivateKey::generate().unwrap()), "[redacted]");
    }

    #[test]
    fn an_error_about_a_key_does_not_show_it() {
        let text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        let error = PrivateKey::from_pem(&Secret::new(text)).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn other_blocks_before_the_key_are_skipped() {
        let key = PrivateKey::generate().unwrap();
        let text = format!("-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n{}", key.pem().reveal());
        let again = PrivateKey::from_pem(&Secret::new(text.clone())).unwrap();
        assert_eq!((again.public_der(), again.pem().reveal()), (key.public_der(), text.as_str()));
    }
}
