//! Zones, and a limit for all groups.

use super::*;

/// Six workers of two groups in two zones: of each group two may be away, of all together three.
fn in_zones() -> Machines {
    let machine = |name: &str| {
        let (group, zone) = name.split_at(1);
        let zone = if zone.starts_with('1') { "z1" } else { "z2" };
        let budgets = BTreeMap::from([(format!("group {group}"), 2), ("cluster".to_owned(), 3)]);
        let ready = Some(Run { resource: id(&format!("ready/{name}")), inputs: json!({}) });
        let place = Place { machine: name.to_owned(), budgets, zone: Some(zone.to_owned()), ready };
        let machine = id(&format!("machine/{name}"));
        (machine.clone(), Desired::new(machine, json!({})).at(place))
    };
    let member = Desired::new(id("config/a"), json!({"etcd": true}));
    let desired = IN_ZONES.map(machine).into_iter().chain([(member.id.clone(), member)]).collect();
    Machines::of(&BTreeMap::new(), &desired, &schemas())
}

const IN_ZONES: [&str; 12] = ["u11", "u12", "u13", "u21", "u22", "u23", "v11", "v12", "v13", "v21", "v22", "v23"];

#[test]
fn one_zone_at_a_time_and_no_more_of_all_groups_than_the_cluster_allows() {
    let machines = in_zones();
    for chosen in 0_u32..1 << IN_ZONES.len() {
        let picked = IN_ZONES.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        // What is broken goes first, and leads through the zones once more.
        let reason = |name: &str| if name.ends_with('1') { Reason::Drifted } else { Reason::SpecChanged };
        let changes = picked.map(|(_, name)| Change { reason: reason(name), ..reboot(name) }).collect();
        let plan = Plan { changes, ..Plan::empty(Base::of_nothing("demo")) };
        let changes = plan.within_budgets(&machines).unwrap().changes;
        let ancestors = ancestors(&changes);
        let reboots: Vec<&Change> = changes.iter().filter(|change| change.operation == Operation::Update).collect();
        let beside = |one: &Change, other: &Change| {
            one.id != other.id && !ancestors[&one.id].contains(&other.id) && !ancestors[&other.id].contains(&one.id)
        };
        for one in &reboots {
            let zone = |change: &Change| change.resource.name()[1..2].to_owned();
            let others: Vec<&&Change> = reboots.iter().filter(|other| beside(one, other)).collect();
            assert!(others.iter().all(|other| zone(other) == zone(one)), "two zones in {chosen:b}");
            let together = |most: usize, among: &dyn Fn(&Change) -> bool| {
                let among: Vec<&Change> = others.iter().map(|other| **other).filter(|other| among(other)).collect();
                largest_beside_each_other(&among, &beside) < most
            };
            assert!(together(3, &|_| true), "more than three in {chosen:b}");
            let group = |change: &Change| change.resource.name()[..1].to_owned();
            assert!(together(2, &|other| group(other) == group(one)), "more than two of a group in {chosen:b}");
        }
    }
}

/// How many of some changes may be carried out at once.
fn largest_beside_each_other(changes: &[&Change], beside: &dyn Fn(&Change, &Change) -> bool) -> usize {
    let Some((first, rest)) = changes.split_first() else { return 0 };
    let with: Vec<&Change> = rest.iter().copied().filter(|other| beside(first, other)).collect();
    largest_beside_each_other(rest, beside).max(1 + largest_beside_each_other(&with, beside))
}

#[test]
fn a_zone_waits_for_the_last_machines_of_the_one_before_only() {
    let plan = Plan { changes: IN_ZONES.map(reboot).to_vec(), ..Plan::empty(Base::of_nothing("demo")) };
    let changes = plan.within_budgets(&in_zones()).unwrap().changes;
    let first_of_second = befores(&changes, "update machine/u21");
    assert!(first_of_second.contains(&"run ready/v13".to_owned()), "{first_of_second:?}");
    assert!(!first_of_second.contains(&"run ready/u11".to_owned()), "others wait for it already: {first_of_second:?}");
}
