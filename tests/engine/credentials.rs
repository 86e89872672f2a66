//! The real handler of generated credentials in a world of fakes: what follows from a key changes with it.

use std::sync::Arc;

use credentials::Credentials;
use engine::Handler;
use jiff::Span;
use testkit::{FakeWorld, Repeating, Site};

use crate::check::{apply, assert_settled};
use crate::clusters::{self, EDITS, Wanted};
use crate::kinds;

async fn site() -> Site {
    let others: Vec<Arc<dyn Handler>> = vec![Arc::new(Credentials)];
    Site::new(|life| FakeWorld::new(kinds::outside(), life), others).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn real_credentials_obey_the_law_too() {
    let name = "local-ha.yaml";
    let wanted = clusters::wanted(name);
    let made = site().await;
    apply(&made, &wanted).await;
    assert_settled(&made, &wanted, "made").await;
    for (what, edit) in [EDITS[5], EDITS[6]] {
        let site = made.fork();
        let changed = clusters::changed(name, edit);
        let plan = apply(&site, &changed).await;
        assert!(plan.changes.iter().any(|change| change.resource.kind() == "machine-config"), "{what}");
        assert_settled(&site, &changed, what).await;
    }
    apply(&made, &Wanted::new()).await;
    assert!(made.world.snapshot().things.is_empty());
}

#[tokio::test(start_paused = true)]
async fn certificates_are_renewed_when_their_time_comes_and_reach_their_machines_in_the_same_run() {
    let wanted = clusters::wanted("local.yaml");
    let site = site().await;
    apply(&site, &wanted).await;
    site.clock.advance(Span::new().hours(200 * 24));
    assert_settled(&site, &wanted, "in the summer").await;
    site.clock.advance(Span::new().hours(100 * 24));
    let plan = apply(&site, &wanted).await;
    let kinds = |kind: &str| plan.changes.iter().filter(|change| change.resource.kind() == kind).count();
    assert!(kinds("certificate") > 5 && kinds("machine-config") >= 1 && kinds("authority") == 0);
    assert_settled(&site, &wanted, "renewed").await;
}

#[tokio::test(start_paused = true)]
async fn credentials_may_be_made_twice() {
    let site = site().await.wrapped(|handler| Arc::new(Repeating(handler)));
    for wanted in [clusters::wanted("local.yaml"), clusters::changed("local.yaml", EDITS[5].1)] {
        apply(&site, &wanted).await;
        assert_settled(&site, &wanted, "applied twice").await;
    }
}
