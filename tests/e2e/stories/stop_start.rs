//! A stopped cluster keeps its data and is what it was when it is started again; it can be deleted while it is stopped.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;
use crate::{checks, data, machines, preview};

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", "stop1", "--node-count", "0", "--yes"]);
    data::write(world);
    world.kubewright(&["stop", "cluster", "stop1"]);
    assert!(machines::running(world, "stop1").is_empty(), "no machine runs");
    // What we stopped was not changed from outside, whoever looks.
    let shown = world.kubewright(&["update", "cluster", "stop1"]);
    assert!(shown.contains("stopped by ") && !shown.contains("hanged from outside"), "{shown}");
    assert!(world.kubewright(&["get", "machines", "stop1"]).contains("Stopped"), "a state that people know");
    let expected =
        BTreeMap::from([("update machine/stop1/control-plane-1".to_owned(), BTreeSet::from(["running".to_owned()]))]);
    assert_eq!(preview::update(world, "stop1"), expected);
    world.kubewright(&["set", "cluster", "stop1", "spec.addons.metricsServer.enabled=true"]);
    let started = world.kubewright(&["start", "cluster", "stop1"]);
    assert!(started.contains("metrics-server") && started.contains("Something else is pending"), "{started}");
    assert!(preview::update(world, "stop1").keys().any(|id| id.contains("metrics-server")), "it is pending still");
    world.kubewright(&["set", "cluster", "stop1", "spec.addons.metricsServer.enabled=false"]);
    data::is_kept(world);
    let before = world.on_machine("stop1", "control-plane-1", "journalctl -q -b -1 -u kubelet -n 1 --output cat");
    assert!(!before.trim().is_empty(), "the journal outlives the boot that it is of");
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    checks::nothing_to_do(world, "stop1");
    world.kubewright(&["start", "cluster", "stop1"]);
    world.kubewright(&["stop", "cluster", "stop1"]);
    world.kubewright(&["delete", "cluster", "stop1", "--yes"]);
}
