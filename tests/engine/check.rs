//! What must hold after a run, whatever happened before.

use engine::{Event, State, Summary};
use plan::Plan;
use testkit::{FakeWorld, Site, Snapshot};

use crate::clusters::Wanted;
use crate::kinds;

/// A site with fakes of every kind.
pub(crate) async fn site() -> Site {
    Site::new(|life| FakeWorld::new(kinds::all(), life), Vec::new()).await.unwrap()
}

/// Carries out what is wanted, and everything must succeed.
pub(crate) async fn apply(site: &Site, wanted: &Wanted) -> Plan {
    let (plan, summary) = site.apply(wanted).await.unwrap();
    assert_complete(&plan, &summary);
    plan
}

/// Everything in the plan was done.
pub(crate) fn assert_complete(plan: &Plan, summary: &Summary) {
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(summary.succeeded.len(), plan.changes.len());
}

/// There is nothing left to do, nothing unknown and nothing in doubt.
pub(crate) async fn assert_settled(site: &Site, wanted: &Wanted, when: &str) {
    let plan = site.plan(wanted).await.unwrap();
    let left: Vec<_> = plan.changes.iter().map(|change| (&change.id, &change.reason, &change.fields)).collect();
    assert!(left.is_empty(), "{when}: {left:#?}");
    assert!(plan.report.is_empty() && plan.drift.is_empty(), "{when}: {:#?} {:#?}", plan.report, plan.drift);
    let state = site.state().await.unwrap();
    assert!(state.resources.values().all(|recorded| !recorded.tainted), "{when}");
    assert_eq!(state.resources.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{when}");
}

/// Where an uninterrupted run leads to.
pub(crate) struct Outcome {
    pub(crate) world: Snapshot,
    pub(crate) state: State,
}

impl Outcome {
    pub(crate) async fn of(site: &Site) -> Self {
        Self { world: site.world.snapshot(), state: site.state().await.unwrap() }
    }

    /// The same world, made by as many changes as it takes and no more, and the same record of it.
    pub(crate) async fn assert_reached(&self, site: &Site, when: &str) {
        let world = site.world.snapshot();
        for (id, thing) in &self.world.things {
            assert_eq!(world.things.get(id), Some(thing), "{when}: {id} is another thing");
        }
        assert_eq!(world.things.len(), self.world.things.len(), "{when}: there is more");
        assert_eq!(world.made, self.world.made, "{when}: made too often");
        assert_eq!(world.changed, self.world.changed, "{when}: changed too often");
        assert_eq!(world.removed, self.world.removed, "{when}: removed too often");
        let state = site.state().await.unwrap();
        for (id, recorded) in &self.state.resources {
            assert_eq!(state.resources.get(id), Some(recorded), "{when}: {id} is recorded otherwise");
        }
        assert_eq!(state.resources.len(), self.state.resources.len(), "{when}: more is recorded");
    }
}

/// Why actions failed, for messages.
pub(crate) fn failures(site: &Site) -> Vec<String> {
    let failed = |event| match event {
        Event::ActionFailed { action, why, .. } => Some(format!("{action}: {why}")),
        _ => None,
    };
    site.events.all().into_iter().filter_map(failed).collect()
}
