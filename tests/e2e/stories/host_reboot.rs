//! The host goes down hard: an update shows what is missing, and brings it back with everything that was on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;
use crate::{checks, data, machines, preview};

const CLUSTER: &str = "reboot1";

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "1", "--yes"]);
    data::write(world);
    let names = machines::running(world, CLUSTER).into_keys().collect::<Vec<_>>();
    assert_eq!(names, ["control-plane-1", "worker-1"]);
    for name in &names {
        machines::kill(world, CLUSTER, name);
    }
    machines::forget_in_kernel(CLUSTER);

    let mut expected = BTreeMap::from([(format!("create network/{CLUSTER}"), BTreeSet::new())]);
    for name in &names {
        expected.insert(format!("update machine/{CLUSTER}/{name}"), BTreeSet::from(["running".to_owned()]));
    }
    assert_eq!(preview::update(world, CLUSTER), expected);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert!(machines::running(world, CLUSTER).into_keys().eq(names), "all machines run");
    data::is_kept(world);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1"]);
    checks::nothing_to_do(world, CLUSTER);
}
