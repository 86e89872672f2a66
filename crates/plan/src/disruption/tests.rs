//! What waits for what where machines are taken away.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Desired, Effect, KindSchema, Place, ResourceId, Run};
use serde_json::json;

use super::*;
use crate::{Base, ReportReason};

mod zones;

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn schemas() -> BTreeMap<String, KindSchema> {
    let config = KindSchema { is_member: |inputs| inputs["etcd"] == true, ..KindSchema::plain("config") };
    [config, KindSchema::plain("machine").power("running"), KindSchema::plain("node")]
        .map(|schema| (schema.kind.to_owned(), schema))
        .into()
}

/// Members on machines `a`, `b` and `c`; `w` and `x` have none.
fn machines() -> Machines {
    let config = |name: &str| {
        let etcd = ["a", "b", "c"].contains(&name);
        let inputs = json!({"etcd": etcd, "on": {"$ref": format!("machine/{name}#address")}});
        Desired::new(id(&format!("config/{name}")), inputs)
    };
    let desired = ["a", "b", "c", "w", "x"].map(|name| (id(&format!("config/{name}")), config(name))).into();
    Machines::of(&BTreeMap::new(), &desired, &schemas())
}

fn change(resource: &str, operation: Operation, reason: Reason, effects: Vec<Effect>) -> Change {
    Change { effects, ..Change::new(&id(resource), operation, reason) }
}

fn restart(name: &str, unit: &str, reason: Reason) -> Change {
    let effect = Effect::Restarts { unit: unit.to_owned(), machine: name.to_owned() };
    change(&format!("config/{name}"), Operation::Update, reason, vec![effect])
}

fn reboot(name: &str) -> Change {
    let effect = Effect::Reboots { machine: name.to_owned() };
    change(&format!("machine/{name}"), Operation::Update, Reason::SpecChanged, vec![effect])
}

fn laid_out(changes: Vec<Change>) -> Vec<Change> {
    let plan = Plan { changes, ..Plan::empty(Base::of_nothing("demo")) };
    plan.within_budgets(&machines()).unwrap().changes
}

fn waits(changes: Vec<Change>) -> BTreeMap<String, Vec<String>> {
    let names =
        |change: Change| (change.id.to_string(), change.depends_on.iter().map(ToString::to_string).collect::<Vec<_>>());
    laid_out(changes).into_iter().map(names).collect()
}

fn told(told: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned =
        |(id, befores): &(&str, &[&str])| ((*id).to_owned(), befores.iter().map(|id| (*id).to_owned()).collect());
    told.iter().map(owned).collect()
}

#[test]
fn each_member_waits_for_the_one_before_it() {
    let changed = |name: &str| restart(name, "etcd", Reason::SpecChanged);
    assert_eq!(
        waits(vec![changed("a"), changed("b"), changed("c")]),
        told(&[
            ("update config/a", &[]),
            ("update config/b", &["update config/a"]),
            ("update config/c", &["update config/b"])
        ])
    );
}

#[test]
fn kinds_do_not_matter_where_machines_are_taken_away() {
    assert_eq!(
        waits(vec![restart("a", "kube-apiserver", Reason::SpecChanged), reboot("b")]),
        told(&[
            ("update config/a", &[]),
            ("update machine/b", &["update config/a"]),
            ("run config/b", &["update config/a", "update machine/b"]),
        ])
    );
}

#[test]
fn a_member_whose_machine_boots_is_waited_for_before_the_next_one_boots() {
    let waiting = waits(vec![reboot("a"), reboot("b"), reboot("w")]);
    let all = ["run config/a", "update machine/a"];
    assert_eq!(waiting["run config/a"], ["update machine/a"]);
    assert_eq!(waiting["update machine/b"], all);
    assert_eq!(waiting["update machine/w"], ["run config/b", "update machine/b"]);
    assert!(!waiting.contains_key("run config/w"), "no member runs on it");
}

#[test]
fn a_wait_is_not_repeated_where_a_change_of_the_member_waits_already() {
    let config = change("config/a", Operation::Update, Reason::SpecChanged, Vec::new());
    let waiting = waits(vec![reboot("a"), config, reboot("b")]);
    assert!(!waiting.contains_key("run config/a"));
    assert_eq!(waiting["update machine/b"], ["update config/a", "update machine/a"]);
}

#[test]
fn a_wait_says_what_it_is_for_and_has_what_it_needs() {
    let changes = laid_out(vec![reboot("a"), reboot("b")]);
    let wait = changes.iter().find(|change| change.id.as_str() == "run config/a").unwrap();
    assert_eq!(wait.reason, Reason::ServesAgain { after: ActionId::new("update", &id("machine/a")) });
    assert_eq!(wait.after.as_ref().unwrap()["etcd"], true);
}

#[test]
fn replacing_or_deleting_a_member_waits_as_an_update_does() {
    let mut make_room =
        change("machine/a", Operation::Delete, Reason::CannotUpdate { field: "address".into() }, vec![]);
    let mut make = change("machine/a", Operation::Create, Reason::CannotUpdate { field: "address".into() }, vec![]);
    (make_room.replaces, make.replaces) = (true, true);
    make.depends_on.insert(make_room.id.clone());
    let delete = change("config/c", Operation::Delete, Reason::NoLongerWanted, Vec::new());
    let waiting = waits(vec![make_room, make, restart("b", "etcd", Reason::SpecChanged), delete]);
    assert_eq!(waiting["run config/a"], ["create machine/a"]);
    let all = ["create machine/a", "delete machine/a", "run config/a"];
    assert_eq!(waiting["update config/b"], all);
    assert_eq!(waiting["delete config/c"], ["update config/b"]);
}

#[test]
fn what_takes_no_machine_away_is_made_at_once() {
    let waiting = waits(vec![
        restart("a", "kubelet.service", Reason::SpecChanged),
        restart("b", "kubelet.service", Reason::SpecChanged),
        restart("c", "etcd", Reason::SpecChanged),
        change("node/d", Operation::Update, Reason::SpecChanged, Vec::new()),
        change("machine/b", Operation::Create, Reason::New, Vec::new()),
        change("machine/w", Operation::Delete, Reason::NoLongerWanted, Vec::new()),
        change("machine/x", Operation::Delete, Reason::NoLongerWanted, Vec::new()),
    ]);
    assert!(waiting.values().all(Vec::is_empty), "{waiting:?}");
}

#[test]
fn of_a_cluster_that_goes_nothing_waits() {
    let delete = |name: &str| change(name, Operation::Delete, Reason::NoLongerWanted, Vec::new());
    let plan = Plan { changes: vec![delete("config/a"), delete("config/b")], ..Plan::empty(Base::of_nothing("demo")) };
    let changes = plan.within_budgets(&Machines::default()).unwrap().changes;
    assert!(changes.iter().all(|change| change.depends_on.is_empty()));
}

#[test]
fn what_is_broken_goes_first() {
    let waiting = waits(vec![
        restart("a", "etcd", Reason::SpecChanged),
        restart("b", "etcd", Reason::Interrupted),
        restart("c", "etcd", Reason::Drifted),
    ]);
    assert_eq!(waiting["update config/a"], ["update config/c"]);
    assert_eq!(waiting["update config/c"], ["update config/b"]);
}

#[test]
fn the_order_never_goes_in_a_circle_with_dependencies() {
    let well = restart("a", "etcd", Reason::SpecChanged);
    let mut broken = restart("b", "etcd", Reason::Drifted);
    broken.depends_on.insert(well.id.clone());
    let waiting = waits(vec![well, broken]);
    assert_eq!(waiting["update config/b"], ["update config/a"]);
    assert!(waiting["update config/a"].is_empty());
}

#[test]
fn machines_that_need_each_other_go_kind_by_kind() {
    let (mut one, mut other) = (restart("a", "etcd", Reason::SpecChanged), restart("b", "etcd", Reason::SpecChanged));
    one.depends_on.insert(reboot("b").id);
    other.depends_on.insert(reboot("a").id);
    let waiting = waits(vec![reboot("a"), reboot("b"), one, other]);
    assert!(waiting["update machine/b"].contains(&"update machine/a".to_owned()));
    assert!(waiting["update config/b"].contains(&"update config/a".to_owned()));
}

#[test]
fn steps_of_a_change_have_its_place() {
    let (a, b) = (restart("a", "etcd", Reason::SpecChanged), restart("b", "etcd", Reason::SpecChanged));
    let step = change("drain/b", Operation::Run, Reason::StepOf { change: b.id.clone() }, Vec::new());
    assert_eq!(waits(vec![a, b, step])["run drain/b"], ["update config/a"]);
}

#[test]
fn a_plan_that_is_limited_first_waits_for_what_is_left_only() {
    let changes = ["a", "b", "c"].map(|name| restart(name, "etcd", Reason::SpecChanged)).to_vec();
    let plan = Plan { changes, ..Plan::empty(Base::of_nothing("demo")) };
    assert_eq!(waits(plan.limited_to(&[id("config/c")].into()).changes), told(&[("update config/c", &[])]));
}

#[test]
fn no_schedule_has_two_machines_away() {
    let names = ["a", "b", "c", "w", "x"];
    for chosen in 0_u32..1 << 10 {
        let picked = |bit: usize| chosen & (1 << bit) != 0;
        let configs = names.iter().enumerate().filter(|(bit, _)| picked(*bit));
        let reboots = names.iter().enumerate().filter(|(bit, _)| picked(bit + names.len()));
        let changes: Vec<Change> = (configs.map(|(_, name)| restart(name, "etcd", Reason::SpecChanged)))
            .chain(reboots.map(|(_, name)| reboot(name)))
            .collect();
        let changes = laid_out(changes);
        let ancestors = ancestors(&changes);
        for (one, other) in changes.iter().flat_map(|one| changes.iter().map(move |other| (one, other))) {
            let ordered = ancestors[&one.id].contains(&other.id) || ancestors[&other.id].contains(&one.id);
            assert!(ordered || one.resource.name() == other.resource.name(), "{} beside {}", one.id, other.id);
        }
    }
}

/// Members on `a` and `b`; six workers in two groups, of which two and one may be away.
fn in_groups() -> Machines {
    let part = |kind: &str, name: &str| {
        let budget = match name.split_at(1) {
            ("u", _) => Some(("group u".to_owned(), 2)),
            ("v", _) => Some(("group v".to_owned(), 1)),
            _ => None,
        };
        let ready =
            budget.as_ref().map(|_| Run { resource: id(&format!("ready/{name}")), inputs: json!({"node": name}) });
        let place = Place { machine: name.to_owned(), budgets: budget.into_iter().collect(), zone: None, ready };
        let is_member = ["a", "b"].contains(&name);
        let inputs = match kind {
            "config" => json!({"etcd": is_member, "on": {"$ref": format!("machine/{name}#address")}}),
            _ => json!({}),
        };
        (id(&format!("{kind}/{name}")), Desired::new(id(&format!("{kind}/{name}")), inputs).at(place))
    };
    let names = ["a", "b", "u1", "u2", "u3", "v1", "v2", "v3"];
    let desired = names.iter().flat_map(|name| [part("machine", name), part("config", name)]).collect();
    Machines::of(&BTreeMap::new(), &desired, &schemas())
}

fn replace(name: &str) -> [Change; 2] {
    let reason = || Reason::CannotUpdate { field: "image".into() };
    let change =
        |operation| Change { replaces: true, ..change(&format!("machine/{name}"), operation, reason(), Vec::new()) };
    let (delete, mut create) = (change(Operation::Delete), change(Operation::Create));
    create.depends_on.insert(delete.id.clone());
    [delete, create]
}

fn laid_out_in_groups(changes: Vec<Change>) -> Vec<Change> {
    let plan = Plan { changes, ..Plan::empty(Base::of_nothing("demo")) };
    plan.within_budgets(&in_groups()).unwrap().changes
}

fn befores(changes: &[Change], id: &str) -> Vec<String> {
    let change = changes.iter().find(|change| change.id.as_str() == id).unwrap();
    change.depends_on.iter().map(ToString::to_string).collect()
}

#[test]
fn as_many_workers_of_a_group_are_away_as_it_allows_and_the_next_waits_for_the_first_to_be_ready() {
    let changes = laid_out_in_groups(["u1", "u2", "u3", "v1"].map(reboot).to_vec());
    assert!(befores(&changes, "update machine/u2").is_empty() && befores(&changes, "update machine/v1").is_empty());
    assert_eq!(befores(&changes, "run ready/u1"), ["update machine/u1"]);
    assert_eq!(befores(&changes, "update machine/u3"), ["run ready/u1", "update machine/u1"]);
}

#[test]
fn workers_wait_for_control_planes_and_no_control_plane_is_away_beside_them() {
    let changes = laid_out_in_groups(["u1", "b", "u2"].map(reboot).to_vec());
    for worker in ["u1", "u2"] {
        assert_eq!(befores(&changes, &format!("update machine/{worker}")), ["run config/b", "update machine/b"]);
    }
    let broken = Change { reason: Reason::Drifted, ..reboot("v2") };
    let changes = laid_out_in_groups(vec![reboot("b"), reboot("v1"), broken]);
    assert!(befores(&changes, "update machine/v1").contains(&"run ready/v2".to_owned()), "it is mended first");
    assert_eq!(
        befores(&changes, "update machine/v2"),
        ["run config/b", "update machine/b"],
        "what it needs may be changed"
    );
}

#[test]
fn a_worker_that_could_not_be_looked_at_counts_as_away_and_is_not_waited_for() {
    let why = ReportReason::Unknown { why: "it does not answer".into() };
    let report = |id: &str| vec![ReportLine { resource: id.parse().unwrap(), reason: why.clone() }];
    let laid_out = |report, changes: Vec<Change>| {
        let plan = Plan { changes, report, ..Plan::empty(Base::of_nothing("demo")) };
        plan.within_budgets(&in_groups()).unwrap().changes
    };
    let changes = laid_out(report("config/u3"), ["u1", "u2"].map(reboot).to_vec());
    assert_eq!(befores(&changes, "update machine/u2"), ["run ready/u1", "update machine/u1"], "one of two is left");
    let changes = laid_out(report("config/v1"), ["v1", "v2"].map(reboot).to_vec());
    assert!(!changes.iter().any(|change| change.id.as_str() == "run ready/v1"), "this plan can't make it ready");
    assert_eq!(befores(&changes, "update machine/v2"), ["update machine/v1"], "one at least");
}

#[test]
fn replacing_a_worker_takes_it_away_until_its_node_is_ready_again_and_removing_it_does_not_count() {
    let config = change("config/v1", Operation::Create, Reason::DependencyChanged { on: id("machine/v1") }, Vec::new());
    let gone = change("machine/v9", Operation::Delete, Reason::NoLongerWanted, Vec::new());
    let changes: Vec<Change> = [replace("v1"), replace("v2")].concat().into_iter().chain([config, gone]).collect();
    let changes = laid_out_in_groups(changes);
    assert_eq!(befores(&changes, "run ready/v1"), ["create config/v1", "create machine/v1"]);
    assert_eq!(
        befores(&changes, "delete machine/v2"),
        ["create config/v1", "create machine/v1", "delete machine/v1", "run ready/v1"]
    );
    assert!(befores(&changes, "delete machine/v9").is_empty());
}

#[test]
fn a_machine_that_is_taken_away_by_two_changes_is_waited_for_once() {
    let effect = Effect::Reboots { machine: "u1".to_owned() };
    let config = change("config/u1", Operation::Update, Reason::SpecChanged, vec![effect]);
    let changes = laid_out_in_groups(vec![reboot("u1"), config, reboot("u2")]);
    assert_eq!(befores(&changes, "run ready/u1"), ["update config/u1", "update machine/u1"]);
}

#[test]
fn no_schedule_has_more_machines_away_than_their_budgets_allow() {
    let names = ["a", "b", "u1", "u2", "u3", "v1", "v2", "v3"];
    for chosen in 0_u32..1 << names.len() {
        let picked = names.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        let changes: Vec<Change> = picked
            .flat_map(|(bit, name)| if bit % 3 == 0 { vec![reboot(name)] } else { replace(name).to_vec() })
            .collect();
        let changes = laid_out_in_groups(changes);
        let ancestors = ancestors(&changes);
        let beside = |one: &str, other: &str| {
            let of = |name: &str| -> Vec<&Change> {
                changes
                    .iter()
                    .filter(|change| change.resource.name() == name && !change.id.as_str().starts_with("run"))
                    .collect()
            };
            let ordered = |one: &Change, other: &Change| {
                ancestors[&one.id].contains(&other.id) || ancestors[&other.id].contains(&one.id)
            };
            let (one, other) = (of(one), of(other));
            !one.is_empty() && !other.is_empty() && one.iter().any(|one| other.iter().any(|other| !ordered(one, other)))
        };
        let pairs = names
            .iter()
            .flat_map(|one| names.iter().map(move |other| [*one, *other]))
            .filter(|[one, other]| one < other);
        for [one, other] in pairs.filter(|[one, other]| beside(one, other)) {
            let is_alone = |name: &str| ["a", "b"].contains(&name);
            assert!(!is_alone(one) && !is_alone(other), "{one} beside {other} in {chosen}");
            assert!(!(one.starts_with('v') && other.starts_with('v')), "{one} beside {other} in {chosen}");
        }
        assert!(!(beside("u1", "u2") && beside("u2", "u3") && beside("u1", "u3")), "three of two in {chosen}");
    }
}

fn ancestors(changes: &[Change]) -> BTreeMap<ActionId, BTreeSet<ActionId>> {
    let mut all: BTreeMap<ActionId, BTreeSet<ActionId>> = BTreeMap::new();
    for change in changes {
        let mut own = change.depends_on.clone();
        own.extend(change.depends_on.iter().filter_map(|id| all.get(id)).flatten().cloned());
        all.insert(change.id.clone(), own);
    }
    all
}
