//! Two ways to stop a run, and a lease that is lost: what was done stays done, and the next run does the rest.

use std::time::Duration;

use engine::StoreError;
use reconcile::ReconcileError;
use testkit::Site;
use tokio::time::Instant;

use crate::check::{Outcome, apply, assert_complete, site};
use crate::clusters::{Wanted, smallest};

/// A slow site, where a create reaches, and what is wanted.
async fn slow() -> (Site, Outcome, Wanted) {
    let wanted = smallest(|_| {});
    let start = site().await;
    let end = start.fork();
    apply(&end, &wanted).await;
    start.world.slow_down(Duration::from_secs(10), 7);
    (start, Outcome::of(&end).await, wanted)
}

/// Stops a run after some time; gives how many actions had been started by then.
fn after(site: &Site, seconds: u64, stop: impl FnOnce() + Send + 'static) -> tokio::task::JoinHandle<usize> {
    let events = site.events.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        stop();
        events.started().len()
    })
}

async fn finishes(site: &Site, wanted: &Wanted, outcome: &Outcome, when: &str) {
    let next = site.fork();
    let (plan, summary) = next.apply(wanted).await.unwrap();
    assert_complete(&plan, &summary);
    outcome.assert_reached(&next, when).await;
}

#[tokio::test(start_paused = true)]
async fn draining_starts_nothing_more_and_finishes_what_runs() {
    let (start, outcome, wanted) = slow().await;
    for seconds in [0, 3, 9, 15, 22] {
        let site = start.fork();
        let drain = site.drain.clone();
        let stopped = after(&site, seconds, move || drain.cancel());
        let (plan, summary) = site.apply(&wanted).await.unwrap();
        let started = stopped.await.unwrap();
        assert_eq!(site.events.started().len(), started, "after {seconds} s");
        assert_eq!(summary.succeeded.len(), started);
        assert_eq!(summary.not_started, plan.changes.len() - started);
        assert!(!summary.is_complete() && summary.aborted == 0 && summary.failed.is_empty());
        finishes(&site, &wanted, &outcome, &format!("drained after {seconds} s")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_before_it_begins_does_nothing() {
    let (site, _, wanted) = slow().await;
    site.drain.cancel();
    let (plan, summary) = site.apply(&wanted).await.unwrap();
    assert_eq!((site.world.calls(), summary.not_started), (0, plan.changes.len()));
}

#[tokio::test(start_paused = true)]
async fn an_aborted_run_is_not_complete_and_the_next_one_finds_out() {
    let (start, outcome, wanted) = slow().await;
    for seconds in [1, 3, 9, 15, 22] {
        let site = start.fork();
        let abort = site.abort.clone();
        let stopped = after(&site, seconds, move || abort.cancel());
        let (_, summary) = site.apply(&wanted).await.unwrap();
        assert_eq!(site.events.started().len(), stopped.await.unwrap());
        assert!(!summary.is_complete());
        finishes(&site, &wanted, &outcome, &format!("aborted after {seconds} s")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_after_what_its_aborted_actions_left_working() {
    let (start, _, wanted) = slow().await;
    let site = start.fork();
    site.world.work_on_for(Duration::from_mins(1));
    let abort = site.abort.clone();
    let began = Instant::now();
    after(&site, 3, move || abort.cancel());
    site.apply(&wanted).await.unwrap();
    assert!(began.elapsed() >= Duration::from_mins(1), "the lease was given back too early: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn aborting_the_last_action_is_not_success() {
    let wanted: Wanted = smallest(|_| {}).into_iter().filter(|(id, _)| id.kind() == "network").collect();
    let site = site().await;
    site.world.slow_down(Duration::from_hours(1), 1);
    let abort = site.abort.clone();
    let stopped = after(&site, 1, move || abort.cancel());
    let (_, summary) = site.apply(&wanted).await.unwrap();
    stopped.await.unwrap();
    assert!(!summary.is_complete(), "{summary:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_starts_nothing_more_gives_up_what_runs_and_is_said() {
    let (start, outcome, wanted) = slow().await;
    let site = start.fork();
    site.world.slow_down(Duration::from_mins(10), 7);
    let store = site.store.clone();
    let began = Instant::now();
    let stopped = after(&site, 12, move || store.lose_leases());
    let result = site.apply(&wanted).await;
    assert!(began.elapsed() < Duration::from_secs(14), "an action of minutes is not waited for: {:?}", began.elapsed());
    assert!(matches!(result, Err(ReconcileError::Store(StoreError::LeaseLost))), "{result:?}");
    assert_eq!(site.events.started().len(), stopped.await.unwrap());
    finishes(&site, &wanted, &outcome, "after a lost lease").await;
}
