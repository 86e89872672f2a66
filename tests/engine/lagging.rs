//! Worlds that lag: what was made does not show yet, and what was given becomes another.

use std::time::Duration;

use jiff::SignedDuration;
use plan::ReportReason;
use resource::{Desired, KindSchema, Reference, ResourceId};
use serde_json::json;
use testkit::{At, FakeKind, FakeWorld, Fault, LaggingCloud, Moment, Site, Source};

use crate::check::{apply, assert_complete, assert_settled};
use crate::clusters::Wanted;

/// How long observers see the past.
const LAG: Duration = LaggingCloud::LAG;

fn instance() -> ResourceId {
    ResourceId::new("instance", "a")
}

/// An instance whose identity its cloud chooses, and a target that is told it.
fn wanted() -> Wanted {
    let target = json!({"instance": Reference::new(instance(), "id")});
    let resources = [Desired::new(instance(), json!({})), Desired::new(ResourceId::new("target", "a"), target)];
    resources.into_iter().map(|each| (each.id.clone(), each)).collect()
}

/// A cloud that shows everything late, and whose instances may not show for `visible_within`.
async fn cloud(visible_within: Duration) -> Site {
    let kinds = || {
        let instance = KindSchema { visible_within, ..KindSchema::plain("instance") };
        let instance = FakeKind::new(instance).output("id", Source::Identity).showing_outputs().made_by_token();
        [instance, FakeKind::new(KindSchema::plain("target"))]
    };
    let site = Site::new(|life| FakeWorld::new(kinds(), life), Vec::new()).await.unwrap();
    site.world.settle_after(LAG);
    site
}

/// Waits until everything shows.
pub(crate) async fn later(site: &Site) {
    tokio::time::sleep(LAG).await;
    site.clock.advance(SignedDuration::try_from(LAG).unwrap());
}

/// Lets a process die, and the next ones finish its work: one at once, and one when everything shows. Gives the last.
pub(crate) async fn finished_by_the_next(before: &Site, wanted: &Wanted, when: &str, kill: impl FnOnce(&Site)) -> Site {
    let first = before.fork();
    kill(&first);
    assert!(first.apply(wanted).await.is_err() && first.is_dead(), "{when}: nobody died");
    let next = first.fork();
    let (plan, summary) = next.apply(wanted).await.unwrap();
    assert_complete(&plan, &summary);
    later(&next).await;
    let last = next.fork();
    apply(&last, wanted).await;
    last
}

/// What the next ones finished is settled, and nothing was made or removed twice.
async fn survives(before: &Site, wanted: &Wanted, when: &str, kill: impl FnOnce(&Site)) {
    let last = finished_by_the_next(before, wanted, when, kill).await;
    assert_settled(&last, wanted, when).await;
    let world = last.world.snapshot();
    let counts = |counts: &std::collections::BTreeMap<ResourceId, usize>| counts.values().all(|count| *count == 1);
    assert!(counts(&world.made) && counts(&world.removed), "{when}: {world:?}");
}

/// Dies before and after every call, and after every write of the journal and the state.
async fn sweep(before: &Site, wanted: &Wanted) {
    let end = before.fork();
    apply(&end, wanted).await;
    for call in 1..=end.world.calls() {
        for fault in [Fault::DieBefore, Fault::DieAfter] {
            let when = format!("{fault:?} {call}");
            survives(before, wanted, &when, |site| site.world.inject(At::Call(call), fault)).await;
        }
    }
    for write in 1..=end.store.writes() {
        survives(before, wanted, &format!("write {write}"), |site| site.store.die_at(write, Moment::After)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_may_die_at_any_point_and_nothing_is_made_twice_that_does_not_show_yet() {
    let site = cloud(LAG).await;
    sweep(&site, &wanted()).await;
    apply(&site, &wanted()).await;
    later(&site).await;
    sweep(&site, &Wanted::new()).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_for_what_was_cut_off_asks_under_the_same_token() {
    sweep(&cloud(Duration::ZERO).await, &wanted()).await;
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_made_is_unknown_until_it_would_show() {
    let site = cloud(LAG).await;
    site.world.inject(At::Call(1), Fault::DieBefore);
    assert!(site.apply(&wanted()).await.is_err());
    let next = site.fork();
    let plan = next.plan(&wanted()).await.unwrap();
    assert!(plan.changes.is_empty(), "{:?}", plan.changes);
    let why = plan.report.iter().find_map(|line| match &line.reason {
        ReportReason::Unknown { why } => Some(why.as_str()),
        _ => None,
    });
    let expected =
        "an action that began 0 s ago and was not seen to end may have made it, which shows within 3 s; run again then";
    assert_eq!(why, Some(expected));
    later(&next).await;
    apply(&next, &wanted()).await;
    assert_eq!(next.world.snapshot().made[&instance()], 1);
}

#[tokio::test(start_paused = true)]
async fn an_output_that_changed_outside_is_drift_and_reaches_what_refers_to_it() {
    let site = cloud(LAG).await;
    apply(&site, &wanted()).await;
    later(&site).await;
    assert!(site.world.rename(&instance()));
    let plan = apply(&site, &wanted()).await;
    let changes: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
    assert_eq!(changes, ["update instance/a", "update target/a"]);
    let drift = &plan.drift[0].fields[0];
    assert_eq!((plan.drift[0].resource.clone(), drift.path.join(".")), (instance(), "outputs.id".to_owned()));
    assert_ne!(drift.before, drift.after);
    later(&site).await;
    assert_settled(&site, &wanted(), "renamed").await;
}
