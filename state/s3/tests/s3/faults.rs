//! Faults of the way: replies that are lost after the work was done, refusals that pass, requests that come late.

use std::time::Duration;

use engine::{StateStore as _, StoreError};
use state_s3::Options;
use testkit::Hitch;
use testkit::conformance::lock_info;

use crate::site::{Site, lively_elsewhere, options, records};

fn slow_down() -> Hitch {
    let body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    Hitch::Refuse(503, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_a_swap_is_settled_by_reading_back() {
    let site = Site::new().await;
    let store = site.open();
    site.proxy.hitch("PUT", "head.json", Hitch::LoseReply);
    let first = store.swap_head("demo", None, b"1").await.unwrap();
    site.proxy.hitch("PUT", "head.json", Hitch::LoseReply);
    let second = store.swap_head("demo", Some(&first), b"2").await.unwrap();
    assert_eq!(store.head("demo").await.unwrap(), Some((b"2".to_vec(), second)));
    assert!(matches!(store.swap_head("demo", Some(&first), b"3").await, Err(StoreError::Conflict)));
    assert_eq!(site.proxy.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_a_lock_leaves_it_to_whoever_asked() {
    let site = Site::new().await;
    let store = site.open();
    store.swap_head("demo", None, b"1").await.unwrap();
    site.proxy.hitch("PUT", "lease.json", Hitch::LoseReply);
    site.proxy.hitch("PUT", "head.json", Hitch::LoseReply);
    let lease = store.lock("demo", lock_info("me")).await.unwrap();
    assert_eq!((lease.epoch(), site.proxy.waiting()), (1, 0));
    assert!(matches!(site.open().lock("demo", lock_info("other")).await, Err(StoreError::Locked(_))));
    site.proxy.hitch("PUT", "lease.json", Hitch::LoseReply);
    drop(lease);
    assert_eq!(site.open().lock("demo", lock_info("other")).await.unwrap().epoch(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_to_beats_do_not_lose_the_lease() {
    let site = Site::new().await;
    let store = site.open_with(lively_elsewhere(90));
    let lease = store.lock("demo", lock_info("me")).await.unwrap();
    for _ in 0..3 {
        site.proxy.hitch("PUT", "lease.json", Hitch::LoseReply);
        while site.proxy.waiting() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    // One more beat that comes through: the ones before were settled.
    site.proxy.take_passed();
    while !site.proxy.take_passed().iter().any(|passed| passed.method == "PUT") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    lease.check().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_to_appends_neither_lose_nor_double_records() {
    let site = Site::new().await;
    let store = site.open();
    let _lease = store.lock("demo", lock_info("me")).await.unwrap();
    site.proxy.hitch("PUT", "00000000.jsonl", Hitch::LoseReply);
    let journal = store.create_journal("demo", "run").await.unwrap();
    for number in ["1", "2", "3"] {
        site.proxy.hitch("PUT", ".jsonl", Hitch::LoseReply);
        journal.append(&records(&[number])).await.unwrap();
    }
    assert_eq!(store.read_journal("demo", "run").await.unwrap(), ["1", "2", "3"]);
    assert_eq!(site.proxy.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_was_given_up_on_does_not_stop_the_journal() {
    let site = Site::new().await;
    let store = site.open();
    let journal = store.create_journal("demo", "run").await.unwrap();
    // The server did it, but neither the reply nor any repetition comes through.
    site.proxy.hitch("PUT", ".jsonl", Hitch::LoseReply);
    for _ in 0..2 {
        site.proxy.hitch("PUT", ".jsonl", slow_down());
    }
    assert!(matches!(journal.append(&records(&["doubtful"])).await, Err(StoreError::Unusable { .. })));
    journal.append(&records(&["next"])).await.unwrap();
    assert_eq!(store.read_journal("demo", "run").await.unwrap(), ["doubtful", "next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_a_put_is_no_conflict() {
    let site = Site::new().await;
    let store = site.open();
    site.proxy.hitch("PUT", "objects/", Hitch::LoseReply);
    store.put("demo", "secrets/one", b"x").await.unwrap();
    assert_eq!(store.get("demo", "secrets/one").await.unwrap(), Some(b"x".to_vec()));
    assert_eq!(site.proxy.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_waited_out_and_named_when_it_stays() {
    let site = Site::new().await;
    let store = site.open();
    for method in ["PUT", "GET"] {
        for _ in 0..2 {
            site.proxy.hitch(method, "head.json", slow_down());
        }
    }
    store.swap_head("demo", None, b"1").await.unwrap();
    assert_eq!(store.head("demo").await.unwrap().unwrap().0, b"1");
    assert_eq!(site.proxy.waiting(), 0);
    for _ in 0..3 {
        site.proxy.hitch("GET", "head.json", slow_down());
    }
    let StoreError::Unusable { what, source } = store.head("demo").await.unwrap_err() else { panic!("unusable") };
    assert_eq!(what, format!("read s3://{}/team/clusters/demo/head.json", site.bucket));
    assert!(source.to_string().contains("asks for fewer requests"), "{source}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_comes_late_does_not_count_after_the_journal_was_sealed() {
    let site = Site::new().await;
    let holder = site.open_with(Options { host: crate::site::dead_here(), beat: None, ..options() });
    let lease = holder.lock("demo", lock_info("holder")).await.unwrap();
    let journal = holder.create_journal("demo", "run").await.unwrap();
    site.proxy.hitch("PUT", "00000001.jsonl", Hitch::Delay(Duration::from_secs(3)));
    let late = tokio::spawn(async move { journal.append(&records(&["late"])).await });
    while site.proxy.waiting() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let next = site.open();
    let _next = next.lock("demo", lock_info("next")).await.unwrap();
    lease.check().unwrap();
    // Should this machine be slower than the delay, it came before the seal: both always agree on what counts.
    match late.await.unwrap() {
        Err(StoreError::LeaseLost) => assert!(next.read_journal("demo", "run").await.unwrap().is_empty()),
        Ok(()) => assert_eq!(next.read_journal("demo", "run").await.unwrap(), ["late"]),
        other => panic!("{other:?}"),
    }
}
