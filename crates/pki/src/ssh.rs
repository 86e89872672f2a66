//! SSH keys (ed25519) in OpenSSH's formats.

use resource::Secret;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey};

use crate::PkiError;

/// An SSH key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKey {
    /// The public key as one line, `ssh-ed25519 AAAA… comment`, without a line break.
    pub public: String,
    /// The private key in OpenSSH's PEM format, unencrypted.
    pub private: Secret,
}

impl SshKey {
    /// The key pair that belongs to 32 random bytes.
    pub fn from_seed(comment: &str, seed: &[u8; 32]) -> Result<Self, PkiError> {
        let failed = |source| PkiError::Ssh { what: "make", source };
        let pair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        let key = PrivateKey::new(pair, comment).map_err(failed)?;
        let private = key.to_openssh(LineEnding::LF).map_err(failed)?;
        let public = key.public_key().to_openssh().map_err(failed)?;
        Ok(Self { public: public.trim_end().to_owned(), private: Secret::new(private.as_str()) })
    }

    /// The same key with another comment.
    pub fn with_comment(&self, comment: &str) -> Result<Self, PkiError> {
        let failed = |source| PkiError::Ssh { what: "change the comment of", source };
        let mut key = PrivateKey::from_openssh(self.private.reveal()).map_err(failed)?;
        key.set_comment(comment);
        let private = key.to_openssh(LineEnding::LF).map_err(failed)?;
        let public = key.public_key().to_openssh().map_err(failed)?;
        Ok(Self { public: public.trim_end().to_owned(), private: Secret::new(private.as_str()) })
    }

    /// Whether the private key is the one of the public key.
    pub fn belongs_together(&self) -> bool {
        let (Ok(private), Ok(public)) =
            (PrivateKey::from_openssh(self.private.reveal()), PublicKey::from_openssh(&self.public))
        else {
            return false;
        };
        private.public_key().key_data() == public.key_data()
    }
}

/// The comment of a public key line.
pub fn comment(public: &str) -> Result<String, PkiError> {
    let key = PublicKey::from_openssh(public).map_err(|source| PkiError::Ssh { what: "read", source })?;
    Ok(key.comment().as_str_lossy().to_owned())
}

/// The fingerprint of a public key line as OpenSSH shows it: `SHA256:…`.
pub fn fingerprint(public: &str) -> Result<String, PkiError> {
    let key = PublicKey::from_openssh(public).map_err(|source| PkiError::Ssh { what: "read", source })?;
    Ok(key.fingerprint(HashAlg::Sha256).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_keys() {
        let one = SshKey::from_seed("cp-1", &[7; 32]).unwrap();
        assert_eq!(one, SshKey::from_seed("cp-1", &[7; 32]).unwrap());
        assert_ne!(one.public, SshKey::from_seed("cp-1", &[8; 32]).unwrap().public);
    }

    #[test]
    fn keys_have_openssh_form() {
        let key = SshKey::from_seed("operator of demo", &[7; 32]).unwrap();
        assert!(key.public.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"));
        assert!(key.public.ends_with(" operator of demo") && key.public.lines().count() == 1);
        assert!(key.private.reveal().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(key.belongs_together());
        assert_eq!(comment(&key.public).unwrap(), "operator of demo");
        assert!(fingerprint(&key.public).unwrap().starts_with("SHA256:"));
    }

    #[test]
    fn another_comment_is_the_same_key() {
        let key = SshKey::from_seed("old", &[7; 32]).unwrap();
        let renamed = key.with_comment("new").unwrap();
        assert_eq!(renamed, SshKey::from_seed("new", &[7; 32]).unwrap());
        assert_eq!(fingerprint(&renamed.public).unwrap(), fingerprint(&key.public).unwrap());
    }

    #[test]
    fn keys_of_different_pairs_do_not_belong_together() {
        let (one, other) = (SshKey::from_seed("a", &[1; 32]).unwrap(), SshKey::from_seed("a", &[2; 32]).unwrap());
        assert!(!SshKey { public: one.public, private: other.private }.belongs_together());
    }

    #[test]
    fn a_key_never_prints_its_private_half() {
        let key = SshKey::from_seed("a", &[1; 32]).unwrap();
        assert!(!format!("{key:?}").contains("PRIVATE KEY"));
    }
}
