//! Digests by which contents are compared and reported without being shown.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// `sha256:<hex>` of public bytes.
pub fn public(bytes: &[u8]) -> String {
    from_sha256(&hex::encode(Sha256::digest(bytes)))
}

/// The same notation for a SHA-256 that is already known in hex.
pub fn from_sha256(hex: &str) -> String {
    format!("sha256:{}", hex.to_ascii_lowercase())
}

/// The key under which secrets of one cluster are digested, so that a digest can't be tried against guesses.
#[derive(Clone)]
pub struct DigestKey(Vec<u8>);

impl DigestKey {
    /// Reads a key from hex; `None` when it is empty or not hex.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok().filter(|key| !key.is_empty()).map(Self)
    }

    /// `hmac:<hex>` of secret bytes.
    pub fn secret(&self, bytes: &[u8]) -> String {
        // HMAC takes keys of any length; were it ever to refuse one, comparing with nothing is the safe side.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else { return "hmac:".into() };
        mac.update(bytes);
        format!("hmac:{}", hex::encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_published_ones() {
        assert_eq!(public(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        // RFC 4231, test case 2.
        let key = DigestKey::from_hex(&hex::encode("Jefe")).unwrap();
        assert_eq!(
            key.secret(b"what do ya want for nothing?"),
            "hmac:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_key_is_never_shown_and_never_empty() {
        assert!(DigestKey::from_hex("").is_none());
        assert!(DigestKey::from_hex("zz").is_none());
        assert!(!format!("{:?}", DigestKey::from_hex("abcd").unwrap()).contains("171"));
    }
}
