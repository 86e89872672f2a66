//! Leases: kept alive, given back, taken over from the dead at once and from the silent after their time.

use engine::{LockInfo, StateStore as _, StoreError};
use state_s3::Options;
use std::time::Duration;
use testkit::conformance::lock_info;

use crate::site::{SHORT, Site, dead_here, lively_elsewhere, lock_at_last, lost_at_last, options, paused_elsewhere};

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_holder_on_another_host_is_waited_for_until_its_time_is_over() {
    let site = Site::new().await;
    let silent = site.open_with(paused_elsewhere()).lock("demo", lock_info("silent")).await.unwrap();
    let store = site.open();
    assert!(matches!(store.lock("demo", lock_info("next")).await, Err(StoreError::Locked(_))));
    let next = lock_at_last(&store, "demo", "next").await;
    assert_eq!(next.epoch(), silent.epoch() + 1);
    // It knew that before anybody else could: it stops trusting its lease first.
    assert!(matches!(silent.check(), Err(StoreError::LeaseLost)));
    drop(silent);
    next.check().unwrap();
    assert!(matches!(site.open().lock("demo", lock_info("third")).await, Err(StoreError::Locked(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_of_this_host_is_not_waited_for() {
    let site = Site::new().await;
    let dead = site.open_with(Options { host: dead_here(), beat: None, ..options() });
    let lease = dead.lock("demo", lock_info("dead")).await.unwrap();
    let next = site.open().lock("demo", lock_info("next")).await.unwrap();
    assert_eq!(next.epoch(), lease.epoch() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_keeps_a_lease_far_beyond_its_life() {
    let site = Site::new().await;
    let life = 2 * SHORT;
    let store = site.open_with(lively_elsewhere(life));
    let lease = store.lock("demo", lock_info("holder")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(life + SHORT)).await;
    lease.check().unwrap();
    assert!(matches!(site.open().lock("demo", lock_info("other")).await, Err(StoreError::Locked(_))));
    drop(lease);
    site.open().lock("demo", lock_info("other")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_hours_apart_change_nothing() {
    let site = Site::new().await;
    let at = |since: &str, id: &str| LockInfo { since: since.to_owned(), ..lock_info(id) };
    for (ours, theirs) in
        [("1999-01-01T00:00:00Z", "2050-01-01T12:00:00Z"), ("2050-01-01T12:00:00Z", "1999-01-01T00:00:00Z")]
    {
        let holder = site.open_with(paused_elsewhere());
        let lease = holder.lock("demo", at(ours, "holder")).await.unwrap();
        match site.open().lock("demo", at(theirs, "other")).await {
            Err(StoreError::Locked(holder)) => assert_eq!(holder.since, ours),
            other => panic!("{:?}", other.map(|lease| lease.epoch())),
        }
        lock_at_last(&site.open(), "demo", "other").await;
        assert!(lease.check().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_learns_from_its_next_beat_that_the_lease_is_somebody_elses() {
    let site = Site::new().await;
    // It lives, but a contender is made to believe that it is dead.
    let holder = site.open_with(Options { host: dead_here(), ..lively_elsewhere(2 * SHORT) });
    let lease = holder.lock("demo", lock_info("holder")).await.unwrap();
    let next = site.open().lock("demo", lock_info("next")).await.unwrap();
    lost_at_last(&*lease).await;
    drop(lease);
    // What it leaves does not release what is not its own.
    next.check().unwrap();
    assert!(matches!(site.open().lock("demo", lock_info("third")).await, Err(StoreError::Locked(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_runtime_does_not_starve_the_heartbeat() {
    let site = Site::new().await;
    let options = lively_elsewhere(2 * SHORT);
    let url = site.url();
    let busy = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = state_s3::S3Store::with_options(url.parse().unwrap(), options.clone());
            let lease = store.lock("demo", lock_info("busy")).await.unwrap();
            // Nothing else of this runtime runs for longer than the lease lives.
            std::thread::sleep(options.ttl + options.ttl / 2);
            lease.check()
        })
    });
    tokio::task::spawn_blocking(|| busy.join().unwrap()).await.unwrap().unwrap();
}
