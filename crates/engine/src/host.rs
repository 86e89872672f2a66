//! The port to a machine on which a program can be run.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::mpsc;

/// Where a machine is, who logs in, and which key it must show.
#[derive(Clone, PartialEq, Eq)]
pub struct HostTarget {
    /// Name for messages.
    pub name: String,
    /// Address of its SSH server.
    pub address: SocketAddr,
    /// Login name.
    pub user: String,
    /// The only accepted host key, one line in OpenSSH's public key format.
    pub host_key: String,
    /// The client's private key in OpenSSH's PEM format.
    pub private_key: resource::Secret,
}

/// Why a machine could not be used.
#[derive(Debug, Error)]
pub enum HostError {
    /// No connection could be made, or it was lost.
    #[error("cannot reach {name}: {why}")]
    Unreachable {
        /// The machine.
        name: String,
        /// Why.
        why: String,
    },
    /// The machine showed another key than the pinned one.
    #[error("{name} shows host key {shown}, but {pinned} is pinned")]
    HostKey {
        /// The machine.
        name: String,
        /// Fingerprint of the key it showed.
        shown: String,
        /// Fingerprint of the pinned key.
        pinned: String,
    },
    /// The login was refused.
    #[error("{name} refuses to log {user} in")]
    Login {
        /// The machine.
        name: String,
        /// The login name.
        user: String,
    },
    /// A program failed.
    #[error("`{command}` on {name} ended with status {status}")]
    Failed {
        /// The machine.
        name: String,
        /// What was run.
        command: String,
        /// Exit status.
        status: i32,
        /// The last lines of its standard error.
        stderr: Vec<String>,
    },
    /// What was to be used or sent cannot be used: a key of the target, or a local file.
    #[error("cannot use {what} for {name}")]
    Unusable {
        /// The machine.
        name: String,
        /// What cannot be used.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// How a program on a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Exit status; -1 when the link was lost before it was known.
    pub status: i32,
    /// The last lines of standard error, at most 20.
    pub stderr: Vec<String>,
}

/// One connection to one machine.
#[async_trait]
pub trait Host: Send + Sync {
    /// Runs `command`, feeds it `input`, hands every line of standard output to `lines`, and waits for its end.
    /// The receiver of `lines` is read meanwhile, or dropped.
    ///
    /// It runs as root: through `sudo -n` where the login is another user. Dropping the future ends the remote program.
    async fn run(&self, command: &str, input: Vec<u8>, lines: mpsc::Sender<String>) -> Result<Exit, HostError>;

    /// Puts a local file at `remote` with `mode`, written beside it first and renamed, and checked by digest.
    async fn upload(&self, local: &Path, remote: &str, mode: u32) -> Result<(), HostError>;

    /// The same, saying after every piece how many bytes were sent so far.
    async fn upload_with_progress(
        &self,
        local: &Path,
        remote: &str,
        mode: u32,
        sent: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), HostError> {
        let _ = sent;
        self.upload(local, remote, mode).await
    }
}

/// Makes connections; one per machine is kept and shared.
#[async_trait]
pub trait HostConnector: Send + Sync {
    /// The connection to `target`, made when there is none yet. Tried again until `timeout` is over.
    async fn connect(&self, target: &HostTarget, timeout: std::time::Duration) -> Result<Arc<dyn Host>, HostError>;
}
