//! Uploads: whole, with their mode, or not at all.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use engine::{Host, HostConnector, HostError};
use ssh::SshConnector;

use crate::keys::{TIMEOUT, ed25519, target};
use crate::server::Server;

async fn machine() -> (Server, Arc<dyn Host>) {
    let server = Server::start(&ed25519(1), &ed25519(2)).await;
    let target = target(server.address, &ed25519(1), &ed25519(2));
    let host = SshConnector::new().connect(&target, TIMEOUT).await.unwrap();
    (server, host)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_arrives_whole_with_its_mode_and_in_a_new_directory() {
    let (_server, host) = machine().await;
    let directory = tempfile::tempdir().unwrap();
    let local = directory.path().join("local");
    let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&local, &bytes).unwrap();
    let remote = directory.path().join("it's new/agent");
    let sent = Mutex::new(Vec::new());
    host.upload_with_progress(&local, remote.to_str().unwrap(), 0o750, &|bytes| sent.lock().unwrap().push(bytes))
        .await
        .unwrap();
    assert_eq!(std::fs::read(&remote).unwrap(), bytes);
    assert_eq!(std::fs::metadata(&remote).unwrap().permissions().mode() & 0o7777, 0o750);
    assert_eq!(names(remote.parent().unwrap()), ["agent"]);
    let sent = sent.into_inner().unwrap();
    assert!(sent.is_sorted() && sent.last() == Some(&2_800_000), "{sent:?}");
}

#[tokio::test]
async fn an_upload_replaces_what_was_there() {
    let (_server, host) = machine().await;
    let directory = tempfile::tempdir().unwrap();
    let (local, remote) = (directory.path().join("local"), directory.path().join("remote"));
    std::fs::write(&local, "new").unwrap();
    std::fs::write(&remote, "old").unwrap();
    host.upload(&local, remote.to_str().unwrap(), 0o644).await.unwrap();
    assert_eq!(std::fs::read_to_string(&remote).unwrap(), "new");
}

#[tokio::test]
async fn an_upload_that_fails_leaves_nothing_behind() {
    let (_server, host) = machine().await;
    let directory = tempfile::tempdir().unwrap();
    let local = directory.path().join("local");
    std::fs::write(&local, "x").unwrap();
    std::fs::create_dir_all(directory.path().join("remote/not-empty")).unwrap();
    let into_file = local.join("below-a-file");
    let error = host.upload(&local, into_file.to_str().unwrap(), 0o644).await.unwrap_err();
    assert!(matches!(&error, HostError::Failed { stderr, .. } if !stderr.is_empty()), "{error:?}");
    assert_eq!(names(directory.path()), ["local", "remote"]);
}

#[tokio::test]
async fn a_local_file_that_is_not_there_is_not_the_machines_fault() {
    let (_server, host) = machine().await;
    let error = host.upload(Path::new("/nowhere/agent"), "/tmp/never", 0o644).await.unwrap_err();
    assert!(matches!(error, HostError::Unusable { .. }), "{error:?}");
}
