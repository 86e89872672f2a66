//! The real handler of generated credentials in a world of fakes: what follows from a key changes with it.

use std::sync::Arc;

use credentials::Credentials;
use engine::{Handler, SecretVault as _};
use jiff::Span;
use plan::{Base, Plan};
use resource::{Desired, ResourceId};
use testkit::{FakeWorld, Repeating, Site};

use crate::check::{apply, assert_complete, assert_settled};
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

/// An SSH key, because nothing refers to it that would change with its name.
#[tokio::test(start_paused = true)]
async fn a_key_whose_record_gets_another_id_is_the_same_key() {
    let mut wanted = clusters::wanted("local.yaml");
    let site = site().await;
    apply(&site, &wanted).await;
    let from = wanted.keys().find(|id| id.kind() == "ssh-key").unwrap().clone();
    let to: ResourceId = "ssh-key/renamed".parse().unwrap();
    let before = site.state().await.unwrap().resources.remove(&from).unwrap();
    let earlier = site.vault.get(&[(from.clone(), before.secrets.clone())].into()).await.unwrap();

    let desired = Desired { id: to.clone(), ..wanted.remove(&from).unwrap() };
    let plan = Plan::moving(Base::of_nothing("demo"), &before, &from, &to);
    let summary = site.carry_out(&plan, &[(to.clone(), desired.clone())].into()).await.unwrap();
    assert_complete(&plan, &summary);

    let mut state = site.state().await.unwrap();
    let moved = state.resources.remove(&to).unwrap();
    assert!(!state.resources.contains_key(&from));
    assert_eq!((&moved.inputs, &moved.outputs), (&before.inputs, &before.outputs));
    let secrets = site.vault.get(&[(from.clone(), before.secrets), (to.clone(), moved.secrets)].into()).await.unwrap();
    assert!(!secrets[&to].is_empty());
    assert_eq!(earlier[&from], secrets[&to]);
    assert!(secrets[&from].is_empty(), "what nothing refers to any more is deleted");
    wanted.insert(to.clone(), desired);
    let next = site.plan(&wanted).await.unwrap();
    let is_about_it = |id: &ResourceId| *id == from || *id == to;
    assert!(!next.changes.iter().any(|change| is_about_it(&change.resource)), "{:?}", next.changes);
}
