//! Keys and targets for tests.

use std::net::SocketAddr;
use std::time::Duration;

use engine::{Exit, Host, HostError, HostTarget};
use resource::Secret;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{Algorithm, EcdsaCurve, PrivateKey};
use tokio::sync::mpsc;

/// Long enough for a busy test machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// The same key for the same seed.
pub(crate) fn ed25519(seed: u8) -> PrivateKey {
    PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "test").unwrap()
}

pub(crate) fn ecdsa() -> PrivateKey {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }).unwrap()
}

pub(crate) fn target(address: SocketAddr, host: &PrivateKey, client: &PrivateKey) -> HostTarget {
    HostTarget {
        name: "cp-1".into(),
        address,
        user: "root".into(),
        host_key: host.public_key().to_openssh().unwrap(),
        private_key: Secret::new(client.to_openssh(LineEnding::LF).unwrap().to_string()),
    }
}

/// Runs a program and gives all its lines.
pub(crate) async fn run(host: &dyn Host, command: &str, input: &[u8]) -> Result<(Exit, Vec<String>), HostError> {
    let (sender, mut receiver) = mpsc::channel(64);
    let all = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    };
    let (exit, lines) = tokio::join!(host.run(command, input.to_vec(), sender), all);
    Ok((exit?, lines))
}
