//! Crash sweep: a process that dies at any point leaves a cluster that the next one finishes, doing nothing twice.

use testkit::{At, Fault, Moment, Site};

use crate::check::{Outcome, apply, assert_complete, assert_settled, site};
use crate::clusters::{Wanted, smallest};

/// Lets a process die, and the next one finish its work.
async fn survives(before: &Site, wanted: &Wanted, outcome: &Outcome, when: &str, kill: impl FnOnce(&Site)) {
    let first = before.fork();
    kill(&first);
    let result = first.apply(wanted).await;
    assert!(first.is_dead(), "{when}: nobody died");
    assert!(!result.is_ok_and(|(_, summary)| summary.is_complete()), "{when}: the dead reported success");
    let next = first.fork();
    let (plan, summary) = next.apply(wanted).await.unwrap();
    assert_complete(&plan, &summary);
    outcome.assert_reached(&next, when).await;
}

/// Dies before and after every effect, and before and after every write of the journal and the state.
async fn sweep(what: &str, before: &Site, wanted: &Wanted) -> usize {
    let end = before.fork();
    apply(&end, wanted).await;
    assert_settled(&end, wanted, what).await;
    let outcome = Outcome::of(&end).await;
    let (calls, writes) = (end.world.calls(), end.store.writes());
    let began = std::time::Instant::now();
    for call in 1..=calls {
        for fault in [Fault::DieBefore, Fault::DieAfter] {
            let when = format!("{what}, {fault:?} call {call}");
            survives(before, wanted, &outcome, &when, |site| site.world.inject(At::Call(call), fault)).await;
        }
    }
    eprintln!("{what} calls {calls} writes {writes} {:?}", began.elapsed());
    for write in 1..=writes {
        for moment in [Moment::Before, Moment::After] {
            let when = format!("{what}, {moment:?} write {write}");
            survives(before, wanted, &outcome, &when, |site| site.store.die_at(write, moment)).await;
        }
    }
    eprintln!("{what} {calls} {writes} {:?}", began.elapsed());
    calls
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_create() {
    let wanted = smallest(|_| {});
    assert_eq!(sweep("create", &site().await, &wanted).await, wanted.len());
}
