//! Repeat sweep: every action done twice does no more than done once.

use std::sync::Arc;

use engine::Handler;
use testkit::{At, Fault, Repeating, Site};

use crate::check::{Outcome, apply, assert_complete, site};
use crate::clusters::{EDITS, Wanted, smallest};

fn changed() -> Wanted {
    smallest(|documents| EDITS.iter().for_each(|(_, edit)| edit(documents)))
}

/// Made, changed, deleted: what is wanted, one after the other.
fn life() -> [Wanted; 3] {
    [smallest(|_| {}), changed(), Wanted::new()]
}

#[tokio::test(start_paused = true)]
async fn every_lost_reply_is_made_good_by_doing_it_again() {
    let (once, again) = (site().await, site().await);
    for wanted in life() {
        apply(&once, &wanted).await;
        let plan = again.plan(&wanted).await.unwrap();
        for change in &plan.changes {
            again.world.inject(At::Action(change.id.clone()), Fault::LostReply);
        }
        let summary = again.carry_out(&plan, &wanted).await.unwrap();
        assert_complete(&plan, &summary);
        again.world.heal();
        Outcome::of(&once).await.assert_reached(&again, "with lost replies").await;
    }
    assert!(again.events.retries() > 100);
}

#[tokio::test(start_paused = true)]
async fn every_action_may_be_applied_twice() {
    fn repeating(handler: Arc<dyn Handler>) -> Arc<dyn Handler> {
        Arc::new(Repeating(handler))
    }
    let (once, twice): (Site, Site) = (site().await, site().await.wrapped(repeating));
    for wanted in life() {
        apply(&once, &wanted).await;
        apply(&twice, &wanted).await;
        Outcome::of(&once).await.assert_reached(&twice, "applied twice").await;
    }
}
