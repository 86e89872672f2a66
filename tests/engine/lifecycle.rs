//! The law of every cluster's life: made, it is settled; changed, it is settled again; deleted, nothing is left.

use crate::check::{apply, assert_settled, site};
use crate::clusters::{self, EDITS, Wanted};

async fn lives(name: &str) {
    let wanted = clusters::wanted(name);
    let site = site().await;
    let plan = apply(&site, &wanted).await;
    assert_eq!(plan.changes.len(), wanted.len());
    assert_settled(&site, &wanted, name).await;
    for (what, edit) in EDITS {
        let changed = clusters::changed(name, edit);
        let site = site.fork();
        let plan = apply(&site, &changed).await;
        let when = format!("{name} with {what}");
        assert!(!plan.is_empty(), "{when}: nothing is planned");
        assert!(plan.changes.iter().all(|change| !is_a_worry(change)), "{when}: {:#?}", ids(&plan));
        assert_settled(&site, &changed, &when).await;
        apply(&site, &wanted).await;
        assert_settled(&site, &wanted, &format!("{name} without {what} again")).await;
    }
    apply(&site, &Wanted::new()).await;
    assert!(site.world.snapshot().things.is_empty());
    assert!(site.state().await.unwrap().resources.is_empty());
}

/// None of the edits makes a machine or a key anew.
fn is_a_worry(change: &plan::Change) -> bool {
    change.replaces && matches!(change.resource.kind(), "machine" | "authority" | "key-pair")
}

fn ids(plan: &plan::Plan) -> Vec<String> {
    plan.changes.iter().map(|change| change.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_example_is_made_changed_and_deleted() {
    for name in clusters::names() {
        lives(&name).await;
    }
}
