//! What others do without while nobody can see it.

use super::*;

#[test]
fn one_of_several_that_is_out_of_sight_keeps_nothing_waiting_that_is_there_itself() {
    let names = ["config/a", "config/b"].map(id);
    let configs = names.clone().map(|name| Desired::new(name, json!({})));
    let together =
        |text: &str| names.clone().into_iter().fold(Desired::new(id(text), json!({})), Desired::after_if_seen);
    let cluster = together("certificate/cluster");
    let object = Desired::new(id("object/v1/x"), json!({"a": 1})).after(cluster.id.clone());
    let mut world = configs.into_iter().fold(World::default(), World::settled).settled(cluster.clone()).settled(object);
    world.desired.get_mut(&id("object/v1/x")).unwrap().inputs["a"] = json!(2);
    let world = world.see(&names[1], Observation::unknown("no answer"));
    assert_eq!(world.ids(), ["update object/v1/x"]);
    assert_eq!(world.plan().report.len(), 1, "only what was not seen is told of");
    for observation in [Observation::Absent, Observation::unknown("no answer")] {
        let waiting = world.clone().see(&cluster.id, observation).plan();
        assert!(waiting.changes.is_empty(), "what is not there needs all of them");
        assert!(waiting.report.iter().any(|line| line.reason == ReportReason::WaitsFor { on: names[1].clone() }));
    }
}

#[test]
fn what_is_out_of_sight_for_others_is_still_waited_for_where_it_changes() {
    let names = ["config/a", "config/b"].map(id);
    let configs = names.clone().map(|name| Desired::new(name, json!({"x": 1})));
    let cluster = names
        .clone()
        .into_iter()
        .fold(Desired::new(id("certificate/cluster"), json!({"x": 1})), Desired::after_if_seen);
    let mut world = configs.into_iter().fold(World::default(), World::settled).settled(cluster);
    for name in ["config/a", "certificate/cluster"] {
        world.desired.get_mut(&id(name)).unwrap().inputs["x"] = json!(2);
    }
    assert_eq!(world.ids(), ["update config/a", "update certificate/cluster"]);
    let changes = world.plan().changes;
    assert!(changes[1].depends_on.contains(&changes[0].id));
}
