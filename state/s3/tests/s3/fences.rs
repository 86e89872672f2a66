//! Fences: whoever was paused past its time and goes on commits nothing, whatever it believes.

use engine::{StateStore as _, StoreError};
use state_s3::Options;
use testkit::conformance::lock_info;

use crate::site::{Site, dead_here, lock_at_last, options, paused_elsewhere, records};

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_paused_past_its_time_commits_nothing() {
    let site = Site::new().await;
    let paused = site.open_with(paused_elsewhere());
    paused.swap_head("demo", None, b"1").await.unwrap();
    let lease = paused.lock("demo", lock_info("paused")).await.unwrap();
    let (_, version) = paused.head("demo").await.unwrap().unwrap();
    let journal = paused.create_journal("demo", "run").await.unwrap();
    journal.append(&records(&["before"])).await.unwrap();
    let next = lock_at_last(&site.open(), "demo", "next").await;
    assert!(matches!(lease.check(), Err(StoreError::LeaseLost)));
    assert!(paused.swap_head("demo", Some(&version), b"2").await.is_err());
    assert!(matches!(journal.append(&records(&["after"])).await, Err(StoreError::LeaseLost)));
    assert!(paused.create_journal("demo", "another").await.is_err());
    assert!(paused.remove("demo").await.is_err());
    let (head, _) = site.open().head("demo").await.unwrap().unwrap();
    assert_eq!((head, next.epoch()), (b"1".to_vec(), lease.epoch() + 1));
    assert_eq!(site.open().read_journal("demo", "run").await.unwrap(), ["before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_refuses_a_holder_that_still_trusts_its_lease() {
    let site = Site::new().await;
    let holder = site.open_with(Options { host: dead_here(), beat: None, ..options() });
    holder.swap_head("demo", None, b"1").await.unwrap();
    let lease = holder.lock("demo", lock_info("holder")).await.unwrap();
    let (_, version) = holder.head("demo").await.unwrap().unwrap();
    let journal = holder.create_journal("demo", "run").await.unwrap();
    journal.append(&records(&["before"])).await.unwrap();
    let empty = holder.create_journal("demo", "run-2").await.unwrap();
    let next = site.open();
    let _next = next.lock("demo", lock_info("next")).await.unwrap();
    lease.check().unwrap();
    assert!(matches!(holder.swap_head("demo", Some(&version), b"2").await, Err(StoreError::Conflict)));
    for journal in [journal, empty] {
        assert!(matches!(journal.append(&records(&["after"])).await, Err(StoreError::LeaseLost)));
    }
    assert_eq!(next.read_journal("demo", "run").await.unwrap(), ["before"]);
    assert!(next.read_journal("demo", "run-2").await.unwrap().is_empty());
    // Whoever took over goes on in a journal of its own.
    next.create_journal("demo", "run-3").await.unwrap().append(&records(&["mine"])).await.unwrap();
    assert_eq!(next.journals("demo").await.unwrap(), ["run", "run-2", "run-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_when_the_lease_was_given_back() {
    let site = Site::new().await;
    let first = site.open();
    let lease = first.lock("demo", lock_info("first")).await.unwrap();
    let journal = first.create_journal("demo", "run").await.unwrap();
    journal.append(&records(&["one"])).await.unwrap();
    drop(lease);
    let _next = site.open().lock("demo", lock_info("next")).await.unwrap();
    let keys = site.keys().await;
    let segments: Vec<&String> = keys.iter().filter(|key| key.contains("/journals/")).collect();
    assert_eq!(segments.len(), 2, "{segments:?}");
    // The journal belonged to the lease, and that is over.
    assert!(matches!(journal.append(&records(&["two"])).await, Err(StoreError::LeaseLost)));
}
