//! Texts that outputs stand in: addresses of machines that somebody else chooses.

use resource::Text;

use super::*;

fn address() -> Reference {
    Reference::new(id("machine/a"), "address")
}

/// Something that is told where the machine is, as a part of a text.
fn told() -> Desired {
    let text = Text::parse("https://?:6443", "?", 1, |_| Some(address())).unwrap();
    Desired::new(id("config/a"), json!({"server": text.to_value(), "port": 6443}))
}

fn seen(address: &str) -> Observation {
    Observation::present(json!({"server": format!("https://{address}:6443"), "port": 6443}))
}

/// A machine whose recorded address is 10.0.0.7, and what was told it.
fn made() -> World {
    let mut world = World::default().settled(machine("a")).settled(told()).see(&told().id, seen("10.0.0.7"));
    let now = "10.0.0.7".to_owned();
    world.recorded.get_mut(&id("machine/a")).unwrap().outputs.insert("address".to_owned(), json!(now));
    world.recorded.get_mut(&told().id).unwrap().texts.insert(address().to_string(), now);
    world
}

#[test]
fn a_text_that_is_as_it_should_be_is_no_change() {
    let plan = made().plan();
    assert!(plan.is_empty() && plan.drift.is_empty(), "{plan:?}");
}

#[test]
fn what_stands_in_a_text_is_made_before() {
    let world = World::default().want(told()).want(machine("a"));
    let world = world.see(&id("machine/a"), Observation::Absent).see(&told().id, Observation::Absent);
    assert_eq!(world.ids(), ["create machine/a", "create config/a"]);
    assert_eq!(world.plan().changes[1].after, Some(told().inputs));
}

#[test]
fn a_text_with_an_output_that_changed_outside_is_shown_as_it_was_and_will_be() {
    let inputs = machine("a").inputs;
    let moved = Observation::present(inputs).with_output("address", json!("10.0.0.8"));
    let plan = made().see(&id("machine/a"), moved).plan();
    let ids: Vec<String> = plan.changes.iter().map(|change| change.id.to_string()).collect();
    assert_eq!(ids, ["update config/a", "update machine/a"], "it is known already, and waits for nothing");
    let change = &plan.changes[0];
    assert_eq!(change.reason, Reason::DependencyChanged { on: id("machine/a") });
    assert_eq!(change.fields[0].before, Some(json!("https://10.0.0.7:6443")));
    assert_eq!(change.fields[0].after, Some(json!("https://10.0.0.8:6443")));
    let drifted: Vec<String> = plan.drift.iter().map(|line| line.resource.to_string()).collect();
    assert_eq!(drifted, ["machine/a"], "nobody touched what is told of it");
}

#[test]
fn a_text_whose_output_is_made_anew_is_known_when_it_is() {
    let mut world = made();
    world.desired.get_mut(&id("machine/a")).unwrap().inputs["address"] = json!("10.0.0.2");
    assert_eq!(world.ids(), ["delete machine/a", "create machine/a", "update config/a"]);
    let change = &world.plan().changes[2];
    assert!(change.fields[0].known_after_apply);
    assert_eq!(change.fields.len(), 1, "the rest is as it was: {:?}", change.fields);
}

#[test]
fn a_text_that_somebody_changed_is_drift() {
    let plan = made().see(&told().id, seen("192.0.2.1")).plan();
    assert_eq!((plan.changes.len(), plan.drift.len()), (1, 1));
    assert_eq!(plan.changes[0].reason, Reason::Drifted);
    assert_eq!(plan.changes[0].fields[0].changed_by, Some(ChangedBy::Outside));
}

#[test]
fn what_an_interrupted_creation_is_seen_to_have_given_is_known() {
    let mut world = made();
    let recorded = world.recorded.get_mut(&id("machine/a")).unwrap();
    (recorded.tainted, recorded.outputs) = (true, BTreeMap::new());
    let shown = Observation::present(machine("a").inputs).with_output("address", json!("10.0.0.7"));
    let plan = world.clone().see(&id("machine/a"), shown).plan();
    assert!(plan.changes.iter().all(|change| change.fields.is_empty()), "{:?}", plan.changes);
    let plan = world.plan();
    assert!(plan.changes[1].fields[0].known_after_apply, "it does not show what it gave");
}
