//! What goes wrong with one action stops what depends on it, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::journal::Record;
use plan::{ActionId, Plan};
use serde_json::json;
use testkit::{At, Fault};

use crate::check::{Outcome, apply, assert_complete, assert_settled, failures, site};
use crate::clusters::{self, small, smallest};

/// Everything that waits for `failed`, directly or not.
fn dependents(plan: &Plan, failed: &ActionId) -> BTreeSet<ActionId> {
    let mut found = BTreeSet::from([failed.clone()]);
    // Plans are in a dependency order.
    for change in &plan.changes {
        if change.depends_on.iter().any(|need| found.contains(need)) {
            found.insert(change.id.clone());
        }
    }
    found.remove(failed);
    found
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    let wanted = smallest(|_| {});
    let start = site().await;
    let plan = start.plan(&wanted).await.unwrap();
    for change in &plan.changes {
        let site = start.fork();
        site.world.inject(At::Action(change.id.clone()), Fault::Permanent);
        let summary = site.carry_out(&plan, &wanted).await.unwrap();
        assert_eq!(summary.failed.keys().collect::<Vec<_>>(), [&change.id]);
        let skipped: BTreeSet<ActionId> = summary.skipped.keys().cloned().collect();
        assert_eq!(skipped, dependents(&plan, &change.id));
        assert_eq!(summary.succeeded.len(), plan.changes.len() - 1 - skipped.len());
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_made_good_by_the_next_run() {
    let wanted = small(clusters::wanted("local-ha.yaml"));
    let start = site().await;
    let end = start.fork();
    let plan = apply(&end, &wanted).await;
    let outcome = Outcome::of(&end).await;
    for change in plan.changes.iter().step_by(20) {
        let site = start.fork();
        site.world.inject(At::Action(change.id.clone()), Fault::Permanent);
        site.apply(&wanted).await.unwrap();
        apply(&site, &wanted).await;
        outcome.assert_reached(&site, change.id.as_str()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_heal_is_tried_again() {
    let wanted = small(clusters::wanted("local-ha.yaml"));
    let (once, again) = (site().await, site().await);
    apply(&once, &wanted).await;
    let plan = again.plan(&wanted).await.unwrap();
    for (index, change) in plan.changes.iter().enumerate() {
        let fault = if index % 2 == 0 { Fault::Unavailable } else { Fault::Throttled };
        again.world.inject(At::Action(change.id.clone()), fault);
    }
    let summary = again.carry_out(&plan, &wanted).await.unwrap();
    assert_complete(&plan, &summary);
    assert_eq!(again.events.retries(), plan.changes.len());
    Outcome::of(&once).await.assert_reached(&again, "with retries").await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_heal_is_given_up_and_said_to_be_unreachable() {
    let wanted = smallest(|_| {});
    let site = site().await;
    let network: ActionId = ActionId::new("create", &provider_local::ids::network("demo"));
    site.world.inject(At::Always(network.clone()), Fault::Unavailable);
    let (_, summary) = site.apply(&wanted).await.unwrap();
    assert!(summary.unreachable && summary.failed.contains_key(&network));
    assert_eq!(site.events.retries(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_show_at_once_is_waited_for() {
    let site = site().await;
    site.world.settle_after(Duration::from_secs(3));
    for wanted in [smallest(|_| {}), smallest(clusters::EDITS[5].1)] {
        apply(&site, &wanted).await;
        assert_settled(&site, &wanted, "as soon as the run is over").await;
    }
    assert!(site.events.retries() > 100);
}

#[tokio::test(start_paused = true)]
async fn a_plan_does_not_overwrite_what_has_moved_since() {
    let wanted = smallest(|_| {});
    let site = site().await;
    apply(&site, &wanted).await;
    let changed = smallest(clusters::EDITS[3].1);
    let plan = site.plan(&changed).await.unwrap();
    let config = model::ids::machine_config("worker-1");
    assert!(site.world.tamper(&config, "/config/machine/nodeName", json!("somebody was here")), "no such field");
    let summary = site.carry_out(&plan, &changed).await.unwrap();
    assert_eq!(summary.failed.keys().map(ActionId::as_str).collect::<Vec<_>>(), ["update machine-config/worker-1"]);
    assert!(failures(&site)[0].contains("no longer what it was"));
    let (plan, _) = site.apply(&changed).await.unwrap();
    assert_eq!(plan.drift[0].resource, config);
    assert_settled(&site, &changed, "planned again").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_rests_on_what_could_not_be_looked_at() {
    let wanted = smallest(|_| {});
    let site = site().await;
    apply(&site, &wanted).await;
    let before = site.world.snapshot();
    site.world.hide("machine", "the host does not answer");
    for wanted in [wanted.clone(), clusters::Wanted::new()] {
        let plan = site.plan(&wanted).await.unwrap();
        assert!(!plan.report.is_empty());
        // Neither machines nor anything that they stand on.
        let touched =
            plan.changes.iter().filter(|change| ["machine", "network", "ssh-key"].contains(&change.resource.kind()));
        assert_eq!(touched.count(), 0, "{:?}", plan.changes.iter().map(|change| &change.id).collect::<Vec<_>>());
    }
    assert_eq!(site.world.snapshot(), before);
}

/// Whatever somebody takes away, one thing of every kind: exactly that is missed, and it comes back.
#[tokio::test(start_paused = true)]
async fn what_somebody_took_away_comes_back() {
    let wanted = smallest(|_| {});
    let start = site().await;
    apply(&start, &wanted).await;
    let mut kinds = BTreeSet::new();
    for id in wanted.keys().filter(|id| kinds.insert(id.kind())) {
        let site = start.fork();
        site.world.take_away(id);
        let plan = apply(&site, &wanted).await;
        assert!(plan.drift.iter().any(|line| line.gone && line.resource == *id), "{id} is not missed");
        let contained = |line: &plan::DriftLine| line.resource == *id || !site_has(&start, &site, &line.resource);
        assert!(plan.drift.iter().all(contained), "{:?}", plan.drift);
        assert_settled(&site, &wanted, id.as_str()).await;
    }
    assert!(kinds.len() > 10);
}

/// Whether a thing was made only once, so that nobody took it away.
fn site_has(before: &testkit::Site, after: &testkit::Site, id: &resource::ResourceId) -> bool {
    before.world.snapshot().made.get(id) == after.world.snapshot().made.get(id)
}

/// What a handler does wrong by itself is its own action's failure, told by the journal like any other.
#[tokio::test(start_paused = true)]
async fn an_action_that_panics_fails_alone_and_the_next_run_makes_it_good() {
    let wanted = smallest(|_| {});
    let start = site().await;
    let plan = start.plan(&wanted).await.unwrap();
    for change in plan.changes.iter().step_by(5) {
        let site = start.fork();
        let serial = site.load().await.unwrap().head.serial;
        site.world.inject(At::Action(change.id.clone()), Fault::Panic);
        let summary = site.carry_out(&plan, &wanted).await.unwrap();
        assert_eq!(summary.failed.keys().collect::<Vec<_>>(), [&change.id]);
        assert!(summary.faulty && summary.failed[&change.id].contains("it was told to panic"));
        assert_eq!(summary.succeeded.len(), plan.changes.len() - 1 - dependents(&plan, &change.id).len());
        let told = site.journal(serial).await.unwrap();
        let is_told = |record: &Record| matches!(record, Record::ActionFailed { action, .. } if *action == change.id);
        assert!(told.iter().any(is_told), "{}", change.id);
        apply(&site, &wanted).await;
        assert_settled(&site, &wanted, change.id.as_str()).await;
    }
}
