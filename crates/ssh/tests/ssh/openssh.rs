//! The same against a real OpenSSH server, where the machine that runs the tests has one.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use engine::{Host, HostConnector, HostError};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use ssh::SshConnector;

use crate::keys::{TIMEOUT, ed25519, run, target};

/// A server of its own on a high port of the loopback; ended when dropped.
struct Sshd {
    child: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Sshd {
    /// `None` where there is no OpenSSH server. `KUBEWRIGHT_TEST_SSHD` names one in another place.
    fn start(host: &PrivateKey, client: &PrivateKey) -> Option<Self> {
        let program = std::env::var_os("KUBEWRIGHT_TEST_SSHD").map_or_else(|| "/usr/sbin/sshd".into(), PathBuf::from);
        if !program.exists() {
            eprintln!("SKIPPED: there is no {}", program.display());
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = write_files(directory.path(), &program, address, host, client);
        let child = Command::new(&program)
            .args(["-D", "-e", "-f"])
            .arg(config)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { child, address, _directory: directory })
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_files(
    directory: &Path,
    program: &Path,
    address: SocketAddr,
    host: &PrivateKey,
    client: &PrivateKey,
) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let (host_key, authorized, config) =
        (directory.join("host_key"), directory.join("authorized"), directory.join("sshd_config"));
    std::fs::write(&host_key, host.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(&host_key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&authorized, client.public_key().to_openssh().unwrap()).unwrap();
    // Root's server wants this directory; Debian makes it when the service starts.
    let _ = std::fs::create_dir_all("/run/sshd");
    let mut lines = vec![
        format!("ListenAddress {address}"),
        format!("HostKey {}", host_key.display()),
        format!("AuthorizedKeysFile {}", authorized.display()),
        format!("PidFile {}", directory.join("pid").display()),
        "StrictModes no".into(),
        "UsePAM no".into(),
        "PermitRootLogin yes".into(),
    ];
    // An unpacked server finds its helpers beside itself.
    let helpers = program.parent().unwrap().join("../lib/openssh");
    if program != Path::new("/usr/sbin/sshd") && helpers.join("sshd-session").exists() {
        lines.push(format!("SshdSessionPath {}", helpers.join("sshd-session").display()));
        lines.push(format!("SshdAuthPath {}", helpers.join("sshd-auth").display()));
    }
    std::fs::write(&config, lines.join("\n") + "\n").unwrap();
    config
}

fn login() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

async fn machine(sshd: &Sshd) -> Arc<dyn Host> {
    let mut target = target(sshd.address, &ed25519(1), &ed25519(2));
    target.user = login();
    SshConnector::new().connect(&target, TIMEOUT).await.unwrap()
}

#[tokio::test]
async fn openssh_runs_programs_and_takes_uploads() {
    let Some(sshd) = Sshd::start(&ed25519(1), &ed25519(2)) else { return };
    let host = machine(&sshd).await;
    let (exit, lines) = run(host.as_ref(), "cat; exit 4", b"one\ntwo\n").await.unwrap();
    assert_eq!((exit.status, lines), (4, vec!["one".to_owned(), "two".to_owned()]));
    assert_eq!(run(host.as_ref(), "/nowhere/agent", b"{}").await.unwrap().0.status, 127);
    let directory = tempfile::tempdir().unwrap();
    let (local, remote) = (directory.path().join("local"), directory.path().join("remote"));
    std::fs::write(&local, vec![7; 5_000_000]).unwrap();
    host.upload(&local, remote.to_str().unwrap(), 0o700).await.unwrap();
    assert_eq!(std::fs::read(&remote).unwrap().len(), 5_000_000);
}

#[tokio::test]
async fn openssh_takes_thirty_programs_at_once() {
    let Some(sshd) = Sshd::start(&ed25519(1), &ed25519(2)) else { return };
    let host = machine(&sshd).await;
    let all: Vec<_> = (0..30)
        .map(|_| {
            let host = Arc::clone(&host);
            tokio::spawn(async move { run(host.as_ref(), "sleep 0.02", b"").await.unwrap().0.status })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), 0);
    }
}

#[tokio::test]
async fn openssh_ends_a_program_nobody_waits_for() {
    let Some(sshd) = Sshd::start(&ed25519(1), &ed25519(2)) else { return };
    let host = machine(&sshd).await;
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("ended");
    let command = format!("trap 'touch {}; exit 0' TERM; sleep 1000 & wait", mark.display());
    assert!(tokio::time::timeout(Duration::from_millis(300), run(host.as_ref(), &command, b"")).await.is_err());
    while !mark.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn openssh_with_another_host_key_is_refused() {
    let Some(sshd) = Sshd::start(&ed25519(1), &ed25519(2)) else { return };
    let target = target(sshd.address, &ed25519(9), &ed25519(2));
    let error = SshConnector::new().connect(&target, TIMEOUT).await.err().unwrap();
    assert!(matches!(error, HostError::HostKey { .. }), "{error}");
}
