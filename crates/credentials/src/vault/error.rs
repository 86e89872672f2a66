//! Why the vault could not be used.

use std::io;
use std::path::PathBuf;

use engine::StoreError;
use thiserror::Error;

/// Why the vault could not be used. Never contains a secret.
#[derive(Debug, Error)]
pub enum VaultError {
    /// There are secrets but no key to read them with.
    #[error(
        "the secrets of cluster {cluster} need a key, and {} does not exist: copy the key file of whoever made the \
         cluster, or have your own key added",
        .path.display()
    )]
    NoKey {
        /// The cluster.
        cluster: String,
        /// Where the key was looked for.
        path: PathBuf,
    },
    /// The secrets are encrypted for other operators.
    #[error("the secrets of cluster {cluster} are not encrypted for your key {public}: have it added by an operator")]
    NotForUs {
        /// The cluster.
        cluster: String,
        /// The operator's public key.
        public: String,
    },
    /// The key file cannot be used.
    #[error("key file {} {why}", .path.display())]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key file cannot be read or written.
    #[error("cannot {what} the key file")]
    KeyFileIo {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A text that should be an operator's public key is none.
    #[error("`{0}` is not an operator's public key: expected age1…")]
    Operator(String),
    /// The program that has the key, or an operator's key, cannot use it.
    #[error("a key that an age plugin keeps cannot be used: {0}")]
    Plugin(String),
    /// The new list of operators leaves out the one who asks.
    #[error("the new list of operators leaves out your own key, which would lock you out")]
    WouldLockOut,
    /// An object is not what it should be.
    #[error("{object} is damaged: {why}")]
    Damaged {
        /// Which object.
        object: String,
        /// What is wrong with it.
        why: String,
    },
    /// Objects came and went while they were read.
    #[error("the vault keeps changing while it is read: somebody else works on the cluster")]
    KeepsChanging,
    /// Encryption failed.
    #[error("cannot encrypt secrets: {0}")]
    Encrypt(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Work in the background was lost.
    #[error("background work was lost: {0}")]
    Task(String),
}

impl VaultError {
    /// Whether nothing failed, but what was asked for is refused.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Operator(_) | Self::WouldLockOut)
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(inner) => inner,
            VaultError::Damaged { object, why } => Self::Damaged { what: object, why },
            other => Self::Unusable { what: "use the vault".to_owned(), source: io::Error::other(other) },
        }
    }
}
