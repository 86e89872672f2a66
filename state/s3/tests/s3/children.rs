//! Other processes: killed while they hold a lease, or stopped past its end and continued.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use engine::{StateStore as _, StoreError};
use rustix::process::{Pid, Signal, kill_process};
use state_s3::{Host, Options, S3Store};
use testkit::conformance::lock_info;

use crate::site::{SHORT, Site, elsewhere, lively_elsewhere, lock_at_last, records};

/// What a child is told: the store's address, and whether it says that it is on another host.
const URL: &str = "STATE_S3_TEST_URL";
const HOST: &str = "STATE_S3_TEST_ELSEWHERE";

#[expect(clippy::disallowed_methods, reason = "how a child of a test is told what to do")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A process that holds the lease of `demo`, or asks for it; killed when dropped.
struct Other(Child);

impl Other {
    fn start(test: &str, site: &Site, is_elsewhere: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("children::{test}"), "--ignored", "--nocapture"]).env(URL, site.url());
        if is_elsewhere {
            command.env(HOST, "yes");
        }
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it says that it is ready.
    fn wait_ready(&mut self) {
        let lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("ready")), "the child ended");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap(), signal).unwrap();
    }

    fn go_on(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn child_store() -> Option<S3Store> {
    let url = variable(URL)?;
    let host = if variable(HOST).is_some() { elsewhere() } else { Host::here() };
    // A live child beats; it is stopped or killed for longer than its lease lives.
    let options = Options { host, ..lively_elsewhere(2 * SHORT) };
    Some(S3Store::with_options(url.parse().unwrap(), options))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "what a child of the tests here does"]
async fn hold_the_lease_and_try_to_commit_when_told() {
    let Some(store) = child_store() else { return };
    let lease = store.lock("demo", lock_info("child")).await.unwrap();
    let (_, version) = store.head("demo").await.unwrap().unwrap();
    let journal = store.create_journal("demo", "run").await.unwrap();
    journal.append(&records(&["before"])).await.unwrap();
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    assert!(matches!(journal.append(&records(&["after"])).await, Err(StoreError::LeaseLost)));
    assert!(store.swap_head("demo", Some(&version), b"stolen").await.is_err());
    assert!(matches!(lease.check(), Err(StoreError::LeaseLost)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_stopped_past_the_end_of_its_lease_commits_nothing() {
    let site = Site::new().await;
    let store = site.open();
    store.swap_head("demo", None, b"1").await.unwrap();
    let mut child = Other::start("hold_the_lease_and_try_to_commit_when_told", &site, true);
    tokio::task::block_in_place(|| child.wait_ready());
    assert!(matches!(store.lock("demo", lock_info("next")).await, Err(StoreError::Locked(_))));
    child.signal(Signal::STOP);
    let next = lock_at_last(&store, "demo", "next").await;
    child.go_on();
    child.signal(Signal::CONT);
    let status = tokio::task::block_in_place(|| child.0.wait()).unwrap();
    assert!(status.success(), "the child committed something");
    next.check().unwrap();
    assert_eq!(store.head("demo").await.unwrap().unwrap().0, b"1");
    assert_eq!(store.read_journal("demo", "run").await.unwrap(), ["before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_followed_at_once_here_and_after_its_time_elsewhere() {
    for is_elsewhere in [false, true] {
        let site = Site::new().await;
        let store = site.open();
        store.swap_head("demo", None, b"1").await.unwrap();
        let mut child = Other::start("hold_the_lease_and_try_to_commit_when_told", &site, is_elsewhere);
        tokio::task::block_in_place(|| child.wait_ready());
        assert!(matches!(store.lock("demo", lock_info("next")).await, Err(StoreError::Locked(_))));
        child.signal(Signal::KILL);
        tokio::task::block_in_place(|| child.0.wait()).unwrap();
        let at_once = store.lock("demo", lock_info("next")).await;
        assert_eq!(at_once.is_err(), is_elsewhere);
        let next = match at_once {
            Ok(lease) => lease,
            Err(_) => lock_at_last(&store, "demo", "next").await,
        };
        assert_eq!(next.epoch(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "what the child of without_credentials_it_says_how_to_get_some does"]
async fn ask_without_credentials() {
    let Some(url) = variable(URL) else { return };
    let StoreError::Unusable { source, .. } = S3Store::new(url.parse().unwrap()).head("demo").await.unwrap_err() else {
        panic!("unusable")
    };
    assert!(source.to_string().contains("there are no AWS credentials here: set AWS_PROFILE"), "{source}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_says_how_to_get_some() {
    let site = Site::new().await;
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "children::ask_without_credentials", "--ignored"]).env_clear().env(URL, site.url());
    command.env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    assert!(tokio::task::block_in_place(|| command.status()).unwrap().success());
}
