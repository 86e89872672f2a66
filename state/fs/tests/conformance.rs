//! The store in a directory passes the suite that every store passes, also with other processes beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "an integration test: helpers may panic")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;

use async_trait::async_trait;
use engine::{StateStore, StoreError};
use state_fs::FsStore;
use testkit::conformance::{self, Apart, StoreSubject, lock_info};

struct Subject(PathBuf);

#[async_trait]
impl StoreSubject for Subject {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(FsStore::new(&self.0))
    }

    async fn tear(&self, cluster: &str, run: &str, half: &str) -> bool {
        let path = self.0.join(format!("clusters/{cluster}/journals/{run}.jsonl"));
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(half.as_bytes()).unwrap();
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_a_directory_does_what_every_store_does() {
    let directory = tempfile::tempdir().unwrap();
    conformance::all(&Subject(directory.path().join("state"))).await.unwrap();
}

/// Where the children of these tests find the store.
const STORE: &str = "STATE_FS_TEST_STORE";
/// How many times each of several processes raises the number in the head.
const RAISES: usize = 25;

#[expect(clippy::disallowed_methods, reason = "how a child of a test is told where the store is")]
fn place_of_parent() -> Option<PathBuf> {
    std::env::var_os(STORE).map(PathBuf::from)
}

fn store_of_parent() -> Option<FsStore> {
    place_of_parent().map(FsStore::new)
}

fn child(test: &str, store: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--quiet"]).env(STORE, store).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "what a child of a_directory_may_be_shared_by_processes does"]
async fn pass_the_suite_beside_others() {
    let Some(store) = place_of_parent() else { return };
    let prefix = format!("p{}-", std::process::id());
    conformance::all(&Apart { subject: &Subject(store), prefix: &prefix }).await.unwrap();
}

#[tokio::test]
async fn a_directory_may_be_shared_by_processes() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..2).map(|_| child("pass_the_suite_beside_others", directory.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

async fn number(store: &FsStore) -> (usize, Option<engine::Version>) {
    match store.head("shared").await.unwrap() {
        Some((bytes, version)) => (String::from_utf8(bytes).unwrap().parse().unwrap(), Some(version)),
        None => (0, None),
    }
}

#[tokio::test]
#[ignore = "what a child of several_processes_lose_no_swap does"]
async fn raise_the_number() {
    let Some(store) = store_of_parent() else { return };
    let mut left = RAISES;
    while left > 0 {
        let (number, version) = number(&store).await;
        match store.swap_head("shared", version.as_ref(), (number + 1).to_string().as_bytes()).await {
            Ok(_) => left -= 1,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn several_processes_lose_no_swap() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..3).map(|_| child("raise_the_number", directory.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(number(&FsStore::new(directory.path())).await.0, 3 * RAISES);
}

#[tokio::test]
#[ignore = "what the child of a_killed_process_holds_no_lock does"]
async fn hold_the_lock() {
    let Some(store) = store_of_parent() else { return };
    // The parent asks for the lock too.
    let _lease = loop {
        if let Ok(lease) = store.lock("shared", lock_info("child")).await {
            break lease;
        }
    };
    std::thread::sleep(std::time::Duration::from_mins(10));
}

#[tokio::test]
async fn a_killed_process_holds_no_lock() {
    let directory = tempfile::tempdir().unwrap();
    let store = FsStore::new(directory.path());
    let mut child = child("hold_the_lock", directory.path());
    loop {
        match store.lock("shared", lock_info("parent")).await {
            Err(StoreError::Locked(holder)) => break assert_eq!(holder.id, "child"),
            Err(error) => panic!("{error:?}"),
            Ok(lease) => drop(lease),
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    store.lock("shared", lock_info("parent")).await.unwrap();
}
