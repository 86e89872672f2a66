//! Crash sweep: a process that dies at any point leaves a cluster that the next one finishes, doing nothing twice.

use std::time::Duration;

use engine::StoreError;
use reconcile::ReconcileError;
use resource::{Desired, KindSchema, Reference, ResourceId};
use serde_json::json;
use testkit::{At, FakeKind, FakeWorld, Fault, Moment, Site, Source};

use crate::check::{Outcome, apply, assert_complete, assert_settled, site};
use crate::clusters::{self, EDITS, Wanted, small, smallest};

/// Long enough that actions end one after the other, each with a journal record of its own.
const SLOW: Duration = Duration::from_millis(500);

/// Lets a process die, and the next one finish its work.
async fn survives(before: &Site, wanted: &Wanted, outcome: &Outcome, when: &str, kill: impl FnOnce(&Site)) {
    let first = before.fork();
    kill(&first);
    let result = first.apply(wanted).await;
    assert!(first.is_dead(), "{when}: nobody died");
    assert!(result.is_err(), "{when}: the dead reported");
    let next = first.fork();
    let (plan, summary) = next.apply(wanted).await.unwrap();
    assert_complete(&plan, &summary);
    outcome.assert_reached(&next, when).await;
}

/// Dies after every effect, and after every write of the journal and the state.
///
/// A start is written before its effect and a success after it, so this is before the effect of every action, after it,
/// and after its record.
async fn sweep(what: &str, before: &Site, wanted: &Wanted) -> usize {
    before.world.slow_down(SLOW, 1);
    let end = before.fork();
    apply(&end, wanted).await;
    assert_settled(&end, wanted, what).await;
    let outcome = Outcome::of(&end).await;
    let calls = end.world.calls();
    for call in 1..=calls {
        let when = format!("{what}, after effect {call}");
        survives(before, wanted, &outcome, &when, |site| site.world.inject(At::Call(call), Fault::DieAfter)).await;
    }
    let writes = end.store.writes();
    for write in 1..=writes {
        let when = format!("{what}, after write {write}");
        survives(before, wanted, &outcome, &when, |site| site.store.die_at(write, Moment::After)).await;
    }
    // Every effect has a record of its own.
    assert!(writes > calls, "{what}: {writes} writes for {calls} effects");
    calls
}

/// Lets another process take the lock before each write: of every action's records, of the end of the run, of the
/// checkpoint, and of every deletion. Whoever lost it changes nothing more, and the next process finishes the work.
async fn lose_everywhere(what: &str, before: &Site, wanted: &Wanted, seed: u64) {
    before.world.slow_down(SLOW, seed);
    let end = before.fork();
    apply(&end, wanted).await;
    let outcome = Outcome::of(&end).await;
    let writes = end.store.writes();
    for write in 1..=writes {
        let when = format!("{what}, lock lost before write {write} of {writes}, seed {seed}");
        let first = before.fork();
        first.store.lose_at(write);
        let result = first.apply(wanted).await;
        assert!(matches!(result, Err(ReconcileError::Store(StoreError::LeaseLost))), "{when}: {result:?}");
        assert!(first.store.is_as_it_was_lost(), "{when}: something was written or deleted");
        let next = first.fork();
        let (plan, summary) = next.apply(wanted).await.unwrap();
        assert_complete(&plan, &summary);
        outcome.assert_reached(&next, &when).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_may_be_lost_at_any_point_of_a_create_an_update_and_a_delete() {
    let seed = u64::from(std::process::id());
    let wanted = smallest(|_| {});
    let changed = smallest(|documents| EDITS.iter().for_each(|(_, edit)| edit(documents)));
    lose_everywhere("create", &site().await, &wanted, seed).await;
    let site = made(&wanted).await;
    lose_everywhere("update", &site, &changed, seed).await;
    lose_everywhere("delete", &site, &Wanted::new(), seed).await;
}

async fn made(wanted: &Wanted) -> Site {
    let site = site().await;
    apply(&site, wanted).await;
    site
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_create() {
    let wanted = smallest(|_| {});
    assert_eq!(sweep("create", &site().await, &wanted).await, wanted.len());
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_an_update() {
    let changed = smallest(|documents| EDITS.iter().for_each(|(_, edit)| edit(documents)));
    assert!(sweep("update", &made(&smallest(|_| {})).await, &changed).await > 20);
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_replace() {
    let mut wanted = smallest(|_| {});
    let site = made(&wanted).await;
    let worker = provider_local::ids::machine("demo", "worker-1");
    wanted.get_mut(&worker).unwrap().inputs["address"] = json!("10.88.7.99");
    assert!(sweep("replace", &site, &wanted).await >= 4);
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_of_a_delete() {
    let site = made(&smallest(|_| {})).await;
    assert!(sweep("delete", &site, &Wanted::new()).await > 20);
    let end = site.fork();
    apply(&end, &Wanted::new()).await;
    assert!(end.world.snapshot().things.is_empty());
}

/// A thing whose identity the other side chooses, and one that is told it: the second must hear of a new identity though
/// the first was made by a process that did not live to record it.
#[tokio::test(start_paused = true)]
async fn a_process_may_die_while_it_makes_again_what_is_gone() {
    let kinds = || {
        [
            FakeKind::new(KindSchema::plain("instance")).output("id", Source::Identity),
            FakeKind::new(KindSchema::plain("target")),
        ]
    };
    let site = Site::new(|life| FakeWorld::new(kinds(), life), Vec::new()).await.unwrap();
    let instance = ResourceId::new("instance", "a");
    let target = json!({"instance": Reference::new(instance.clone(), "id")});
    let resources = [Desired::new(instance.clone(), json!({})), Desired::new(ResourceId::new("target", "a"), target)];
    let wanted: Wanted = resources.into_iter().map(|each| (each.id.clone(), each)).collect();
    apply(&site, &wanted).await;
    site.world.take_away(&instance);
    assert_eq!(sweep("repair", &site, &wanted).await, 2);
}

/// One process after the other dies after a few effects; together they get there.
#[tokio::test(start_paused = true)]
async fn processes_that_die_again_and_again_get_there() {
    for name in clusters::names() {
        let wanted = small(clusters::wanted(&name));
        let start = site().await;
        let end = start.fork();
        apply(&end, &wanted).await;
        let outcome = Outcome::of(&end).await;
        let mut process = start;
        let mut processes: u64 = 1;
        loop {
            process.world.slow_down(SLOW, processes);
            let fault = if processes.is_multiple_of(2) { Fault::DieBefore } else { Fault::DieAfter };
            process.world.inject(At::Call(10), fault);
            let result = process.apply(&wanted).await;
            if !process.is_dead() {
                assert!(result.unwrap().1.is_complete());
                break;
            }
            assert!(processes < 100, "{name}: nothing moves");
            (process, processes) = (process.fork(), processes + 1);
        }
        assert!(processes > 4, "{name}: {processes}");
        outcome.assert_reached(&process, &name).await;
    }
}
