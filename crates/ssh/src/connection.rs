//! One attempt to connect and log in.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::{HostError, HostTarget};
use russh::client::{self, AuthResult, Handle};
use russh::keys::PrivateKeyWithHashAlg;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::pinned::{Keys, PinnedKey, preferred};

/// A dead peer is noticed after this, times [`KEEPALIVES`].
const KEEPALIVE: Duration = Duration::from_secs(10);
const KEEPALIVES: usize = 3;
/// Key exchange and login; generous, because a machine that boots is busy.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// Why an attempt failed.
pub(crate) enum Failure {
    /// Another attempt may succeed: the machine may be starting.
    Passing(String),
    /// It will not get better by itself.
    Lasting(HostError),
}

/// Connects and logs in, once. `limit` is for the TCP connection.
pub(crate) async fn dial(target: &HostTarget, keys: &Keys, limit: Duration) -> Result<Handle<PinnedKey>, Failure> {
    let stream = timeout(limit, TcpStream::connect(target.address))
        .await
        .map_err(|_| Failure::Passing(format!("{} does not answer", target.address)))?
        .map_err(|error| Failure::Passing(format!("{}: {error}", target.address)))?;
    // Without it an exec costs 44 ms instead of 2.4.
    stream.set_nodelay(true).map_err(|error| Failure::Passing(error.to_string()))?;
    timeout(HANDSHAKE, log_in(target, keys, stream))
        .await
        .map_err(|_| Failure::Passing(format!("{} does not finish the SSH handshake", target.address)))?
}

async fn log_in(target: &HostTarget, keys: &Keys, stream: TcpStream) -> Result<Handle<PinnedKey>, Failure> {
    let shown = Arc::new(OnceLock::new());
    let check = PinnedKey { pinned: keys.host.clone(), shown: Arc::clone(&shown) };
    let mut handle = client::connect_stream(Arc::new(config(keys)), stream, check)
        .await
        .map_err(|error| handshake_failure(target, keys, shown.get(), &error))?;
    // Only RSA keys need it, and asking may cost a second.
    let hash = if keys.client.algorithm().is_rsa() {
        handle.best_supported_rsa_hash().await.map_err(|error| passing(&error))?.flatten()
    } else {
        None
    };
    let key = PrivateKeyWithHashAlg::new(Arc::clone(&keys.client), hash);
    match handle.authenticate_publickey(&target.user, key).await.map_err(|error| passing(&error))? {
        AuthResult::Success => Ok(handle),
        AuthResult::Failure { .. } => {
            Err(Failure::Lasting(HostError::Login { name: target.name.clone(), user: target.user.clone() }))
        }
    }
}

fn config(keys: &Keys) -> client::Config {
    client::Config {
        preferred: preferred(&keys.host),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES,
        nodelay: true,
        ..client::Config::default()
    }
}

fn passing(error: &russh::Error) -> Failure {
    Failure::Passing(error.to_string())
}

fn handshake_failure(target: &HostTarget, keys: &Keys, shown: Option<&String>, error: &russh::Error) -> Failure {
    let shown = match (shown, error) {
        (Some(shown), _) => shown.clone(),
        (None, russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, theirs, .. }) => {
            format!("of another kind ({})", theirs.join(", "))
        }
        _ => return passing(error),
    };
    Failure::Lasting(HostError::HostKey { name: target.name.clone(), shown, pinned: keys.fingerprint() })
}
