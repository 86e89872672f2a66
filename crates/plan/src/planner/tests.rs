//! Tests: the whole pipeline, from what is wanted, recorded and found to a plan.

use resource::{Behaviour, ChangedBy, Lifecycle, Reference};
use serde_json::json;

use super::*;
use crate::{Operation, Reason, ReportReason};

mod out_of_sight;
mod texts;

/// A little world: what is desired, recorded and observed, by id.
#[derive(Default, Clone)]
struct World {
    desired: BTreeMap<ResourceId, Desired>,
    recorded: BTreeMap<ResourceId, Recorded>,
    observed: BTreeMap<ResourceId, Observation>,
}

impl World {
    fn want(mut self, desired: Desired) -> Self {
        self.desired.insert(desired.id.clone(), desired);
        self
    }

    fn record(mut self, desired: &Desired) -> Self {
        let recorded = desired.to_recorded(1);
        self.recorded.insert(desired.id.clone(), recorded);
        self
    }

    fn see(mut self, id: &ResourceId, observation: Observation) -> Self {
        self.observed.insert(id.clone(), observation);
        self
    }

    /// Desired, recorded and observed alike.
    fn settled(self, desired: Desired) -> Self {
        let seen = Observation::present(desired.inputs.clone());
        self.record(&desired).see(&desired.id, seen).want(desired)
    }

    fn plan(&self) -> Plan {
        let mut machine = KindSchema::plain("machine").rule("address", Behaviour::Replace);
        machine.update_changes_outputs = false;
        let mut certificate = KindSchema::plain("certificate");
        certificate.update_changes_outputs = true;
        let config =
            KindSchema::plain("config").rule("target", Behaviour::Computed).rule("files.once", Behaviour::CreateOnly);
        // Versions are no part of what an object is: `object/v1/x` and `object/v2/x` are one.
        let identity = |id: &ResourceId| id.name().rsplit('/').next().unwrap_or_default().to_owned();
        let object = KindSchema { identity, ..KindSchema::plain("object") };
        let schemas =
            [machine, certificate, config, object].into_iter().map(|schema| (schema.kind.to_owned(), schema)).collect();
        let drain: Expander = |change| {
            if change.operation != Operation::Delete {
                return vec![change];
            }
            let drain = ResourceId::new("drain", change.resource.name());
            let step = Change {
                id: crate::ActionId::new("run", &drain),
                resource: drain,
                operation: Operation::Run,
                reason: Reason::StepOf { change: change.id.clone() },
                ..change.clone()
            };
            vec![step, change]
        };
        make_plan(Input {
            base: Base::of_nothing("demo"),
            desired: &self.desired,
            recorded: &self.recorded,
            observed: &self.observed,
            schemas: &schemas,
            expanders: &BTreeMap::from([("node".to_owned(), drain)]),
        })
        .unwrap()
    }

    fn ids(&self) -> Vec<String> {
        self.plan().changes.iter().map(|change| change.id.to_string()).collect()
    }
}

#[test]
fn what_is_neither_wanted_nor_recorded_is_told_and_left_alone() {
    let joined = id("node/joined");
    let plan = World::default().see(&joined, Observation::present(json!({}))).plan();
    assert!(plan.changes.is_empty());
    assert_eq!(plan.report, [crate::ReportLine { resource: joined.clone(), reason: ReportReason::Foreign }]);
    assert!(World::default().see(&joined, Observation::Absent).plan().report.is_empty());
    let plan = World::default().see(&joined, Observation::orphan(json!({}))).plan();
    assert!(plan.changes.is_empty());
    assert_eq!(plan.report, [crate::ReportLine { resource: joined, reason: ReportReason::Orphan }]);
}

#[test]
fn what_is_somebody_elses_is_neither_changed_nor_deleted_and_nothing_is_built_on_it() {
    let theirs = || Observation::foreign(json!({}));
    let plan = World::default().see(&id("machine/a"), theirs()).want(machine("a")).plan();
    assert!(plan.changes.is_empty());
    assert_eq!(plan.report[0].reason, ReportReason::Taken);
    let plan = World::default().see(&id("machine/a"), theirs()).record(&machine("a")).plan();
    let ids: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
    assert_eq!(ids, ["forget machine/a"]);
}

/// Of a machine that exists with another memory than is wished for.
fn report_of(lifecycle: Lifecycle, observation: Observation) -> Vec<ReportReason> {
    let wanted = Desired { lifecycle, ..machine("a") };
    let world = World::default().see(&wanted.id, observation).want(wanted);
    let plan = world.plan();
    assert!(plan.changes.is_empty(), "{:?}", plan.changes);
    plan.report.into_iter().map(|line| line.reason).collect()
}

#[test]
fn what_is_shared_or_ignored_is_told_and_left_alone() {
    let other = || Observation::present(json!({"address": "10.0.0.1", "memory": "2Gi"}));
    let shared = report_of(Lifecycle::Shared, other());
    assert!(matches!(&shared[..], [ReportReason::Shared { differs }] if differs[0].path == ["memory"]), "{shared:?}");
    let gone = report_of(Lifecycle::Shared, Observation::Absent);
    assert!(matches!(&gone[..], [ReportReason::Unknown { .. }]), "{gone:?}");
    for observation in [other(), Observation::Absent, Observation::unknown("no answer")] {
        assert_eq!(report_of(Lifecycle::Ignored, observation), [ReportReason::Ignored]);
    }
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn machine(name: &str) -> Desired {
    Desired::new(ResourceId::new("machine", name), json!({"address": "10.0.0.1", "memory": "1Gi"}))
}

fn config(name: &str) -> Desired {
    Desired::new(
        ResourceId::new("config", name),
        json!({
            "target": Reference::new(ResourceId::new("machine", name), "address"),
            "files": {"key": Reference::new(ResourceId::new("certificate", name), "key")},
        }),
    )
    .contained_in(ResourceId::new("machine", name))
}

fn certificate(name: &str) -> Desired {
    Desired::new(ResourceId::new("certificate", name), json!({"names": ["a"]}))
}

#[test]
fn a_settled_world_has_an_empty_plan() {
    let world = World::default().settled(machine("a")).settled(certificate("a")).settled(config("a"));
    let plan = world.plan();
    assert!(plan.is_empty() && plan.report.is_empty() && plan.drift.is_empty(), "{plan:?}");
}

#[test]
fn new_things_are_created_after_what_they_refer_to() {
    let mut world = World::default().want(config("a")).want(machine("a")).want(certificate("a"));
    for each in ["config/a", "machine/a", "certificate/a"] {
        world = world.see(&id(each), Observation::Absent);
    }
    assert_eq!(world.ids(), ["create certificate/a", "create machine/a", "create config/a"]);
    assert_eq!(world.plan().changes[2].reason, Reason::New);
}

#[test]
fn changes_wait_for_what_changes_beyond_an_unchanged_thing() {
    let far = Desired::new(id("certificate/far"), json!({"names": ["a"]}));
    let between = Desired::new(id("machine/between"), json!({"memory": "1Gi"})).after(far.id.clone());
    let near = Desired::new(id("certificate/a"), json!({"names": ["a"]})).after(between.id.clone());
    let mut world = World::default().settled(far).settled(between).settled(near);
    for name in ["certificate/a", "certificate/far"] {
        world.desired.get_mut(&id(name)).unwrap().inputs["names"] = json!(["b"]);
    }
    assert_eq!(world.ids(), ["update certificate/far", "update certificate/a"]);
}

#[test]
fn nothing_rests_on_an_unknown_observation() {
    let world = World::default()
        .want(machine("a"))
        .want(certificate("a"))
        .want(config("a"))
        .see(&id("machine/a"), Observation::unknown("the host does not answer"))
        .see(&id("certificate/a"), Observation::Absent)
        .see(&id("config/a"), Observation::Absent);
    assert_eq!(world.ids(), ["create certificate/a"]);
    let report = world.plan().report;
    assert!(matches!(report[0].reason, ReportReason::Unknown { .. }));
    assert_eq!(report[1].reason, ReportReason::WaitsFor { on: id("machine/a") });
}

#[test]
fn a_drifted_field_is_named_and_repaired() {
    let world = World::default()
        .settled(machine("a"))
        .see(&id("machine/a"), Observation::present(json!({"address": "10.0.0.1", "memory": "2Gi"})));
    let plan = world.plan();
    assert_eq!(plan.changes[0].reason, Reason::Drifted);
    assert_eq!(plan.changes[0].fields[0].path, ["memory"]);
    let (drift, mended) = (&plan.drift[0].fields[0], &plan.changes[0].fields[0]);
    assert_eq!((drift.path[0].as_str(), &drift.after), ("memory", &Some(json!("2Gi"))), "as somebody changed it");
    assert_eq!((&mended.before, &mended.after), (&drift.after, &drift.before), "as it is mended");
}

#[test]
fn every_field_says_who_changed_it() {
    let machine = |inputs| Desired::new(id("machine/a"), inputs);
    let made = machine(json!({"memory": 1, "cpus": 1, "disk": 1, "name": "a"}));
    let wanted = machine(json!({"memory": 2, "cpus": 1, "disk": 2, "name": "a"}));
    let seen = Observation::present(json!({"memory": 1, "cpus": 3, "disk": 3, "name": "a"}));
    let plan = World::default().record(&made).see(&made.id, seen).want(wanted).plan();
    let by: Vec<_> = plan.changes[0].fields.iter().map(|field| (field.path[0].as_str(), field.changed_by)).collect();
    let expected = [("cpus", ChangedBy::Outside), ("disk", ChangedBy::Both), ("memory", ChangedBy::Spec)];
    assert_eq!(by, expected.map(|(name, by)| (name, Some(by))));
}

#[test]
fn a_changed_wish_is_no_drift() {
    let mut world = World::default().settled(machine("a"));
    world.desired.get_mut(&id("machine/a")).unwrap().inputs["memory"] = json!("4Gi");
    let plan = world.plan();
    assert_eq!(plan.changes[0].reason, Reason::SpecChanged);
    assert!(plan.drift.is_empty());
}

#[test]
fn a_field_that_cannot_change_replaces_and_remakes_what_was_inside() {
    let mut world = World::default().settled(machine("a")).settled(certificate("a")).settled(config("a"));
    world.desired.get_mut(&id("machine/a")).unwrap().inputs["address"] = json!("10.0.0.2");
    assert_eq!(world.ids(), ["delete machine/a", "create machine/a", "create config/a"]);
}

#[test]
fn what_refers_to_changed_outputs_is_updated_but_computed_fields_do_not_count() {
    let mut world = World::default().settled(machine("a")).settled(certificate("a")).settled(config("a"));
    world.desired.get_mut(&id("certificate/a")).unwrap().inputs["names"] = json!(["a", "b"]);
    assert_eq!(world.ids(), ["update certificate/a", "update config/a"]);
    let mut world = World::default().settled(machine("a")).settled(certificate("a")).settled(config("a"));
    world.desired.get_mut(&id("machine/a")).unwrap().inputs["memory"] = json!("4Gi");
    assert_eq!(world.ids(), ["update machine/a"]);
}

#[test]
fn children_of_a_deleted_parent_are_forgotten_and_dependents_go_first() {
    let mut world = World::default().settled(machine("a")).settled(certificate("a")).settled(config("a"));
    world.desired.clear();
    let plan = world.plan();
    let found: Vec<(String, Operation)> =
        plan.changes.iter().map(|change| (change.resource.to_string(), change.operation)).collect();
    assert_eq!(
        found,
        [
            ("config/a".to_owned(), Operation::Forget),
            ("certificate/a".to_owned(), Operation::Delete),
            ("machine/a".to_owned(), Operation::Delete)
        ]
    );
}

#[test]
fn an_unwanted_thing_that_cannot_be_seen_is_not_deleted() {
    let mut world = World::default().settled(machine("a"));
    world.desired.clear();
    let world = world.see(&id("machine/a"), Observation::unknown("no answer"));
    assert!(world.ids().is_empty());
    assert_eq!(world.plan().report.len(), 1);
}

#[test]
fn what_an_unknown_thing_stands_on_stays_too() {
    let mut world = World::default().settled(machine("a")).settled(certificate("a")).settled(machine("b"));
    world.recorded.get_mut(&id("machine/b")).unwrap().depends_on = [id("certificate/a")].into();
    world.recorded.get_mut(&id("certificate/a")).unwrap().depends_on = [id("machine/a")].into();
    world.desired.clear();
    let world = world.see(&id("machine/b"), Observation::unknown("no answer"));
    assert!(world.ids().is_empty(), "{:?}", world.ids());
    let report = world.plan().report;
    assert_eq!(report[0].reason, ReportReason::WaitsFor { on: id("machine/b") });
    assert_eq!(report[1].reason, ReportReason::WaitsFor { on: id("certificate/a") });
}

#[test]
fn what_a_blocked_update_would_let_go_of_stays() {
    let mut world = World::default().settled(certificate("a")).settled(config("a")).settled(machine("a"));
    world.desired.remove(&id("certificate/a"));
    world.desired.get_mut(&id("config/a")).unwrap().inputs["files"] = json!({});
    let world = world.see(&id("config/a"), Observation::unknown("no answer"));
    assert!(world.ids().is_empty(), "{:?}", world.ids());
}

#[test]
fn children_of_a_parent_that_stays_are_not_forgotten() {
    let mut world = World::default().settled(machine("a")).settled(config("a"));
    world.desired.clear();
    let unknown = || Observation::unknown("no answer");
    let world = world.see(&id("machine/a"), unknown());
    assert_eq!(world.ids(), ["delete config/a"]);
    let world = world.see(&id("config/a"), unknown());
    assert!(world.ids().is_empty(), "{:?}", world.ids());
}

#[test]
fn an_interrupted_resource_is_made_good() {
    let mut world = World::default().settled(machine("a"));
    world.recorded.get_mut(&id("machine/a")).unwrap().tainted = true;
    assert_eq!(world.plan().changes[0].reason, Reason::Interrupted);
}

#[test]
fn what_refers_to_an_interrupted_resource_is_looked_at_again() {
    let mut world = World::default().settled(machine("a"));
    let config = Desired::new(id("config/x"), json!({"address": Reference::new(id("machine/a"), "address")}));
    world = world.settled(config);
    world.recorded.get_mut(&id("machine/a")).unwrap().tainted = true;
    assert_eq!(world.ids(), ["update machine/a", "update config/x"]);
}

#[test]
fn a_reference_that_is_used_only_once_is_no_reason_for_an_update() {
    let once = json!({"files": {"once": Reference::new(id("certificate/a"), "key")}});
    let mut world = World::default().settled(certificate("a")).settled(Desired::new(id("config/x"), once));
    world.desired.get_mut(&id("certificate/a")).unwrap().inputs["names"] = json!(["b"]);
    assert_eq!(world.ids(), ["update certificate/a"]);
}

#[test]
fn expanded_steps_run_one_after_the_other() {
    let node = Desired::new(id("node/w"), json!({}));
    let mut world = World::default().settled(node);
    world.desired.clear();
    let plan = world.plan();
    assert_eq!(world.ids(), ["run drain/w", "delete node/w"]);
    assert!(plan.changes[1].depends_on.contains(&plan.changes[0].id));
}

#[test]
fn what_is_wanted_under_another_id_is_forgotten_under_the_old_one_and_never_deleted() {
    let object = |id_: &str| Desired::new(id(id_), json!({"x": 1}));
    let (old, new) = (object("object/v1/a"), object("object/v2/a"));
    let seen = || Observation::present(json!({"x": 1}));
    let world = World::default().settled(old.clone()).want(new.clone()).see(&new.id, seen());
    let moved = |world: World| World { desired: [(new.id.clone(), new.clone())].into(), ..world };
    let world = moved(world);
    let plan = world.plan();
    assert_eq!(world.ids(), ["create object/v2/a", "forget object/v1/a"]);
    assert_eq!(plan.changes[1].reason, Reason::MovedTo { to: new.id.clone() });
    assert!(plan.changes[1].depends_on.contains(&plan.changes[0].id), "the old record must outlive a failure");
    // As long as nobody knows what is there, the record stays.
    let blind = world.see(&new.id, Observation::unknown("no answer"));
    assert!(blind.ids().is_empty(), "{:?}", blind.ids());
    // The run was ended between the two.
    let between = moved(World::default().settled(old.clone()).settled(new.clone()));
    assert_eq!(between.ids(), ["forget object/v1/a"]);
    // Another thing is none.
    let other = object("object/v2/b");
    let world = World::default().settled(old).see(&other.id, Observation::Absent);
    let world = World { desired: [(other.id.clone(), other)].into(), ..world };
    assert_eq!(world.ids(), ["create object/v2/b", "delete object/v1/a"]);
}
