//! G-10, C-01: a worker is lost. Its pods are told so and run elsewhere; an update brings it back, and with it what had to wait for it.

use std::collections::{BTreeMap, BTreeSet};

use super::stateful;
use super::{field, field_becomes};
use crate::world::World;
use crate::{checks, machines, preview};

const LOST: &str = "worker-2";
const NAMES: [&str; 3] = ["control-plane-1", "worker-1", "worker-2"];

pub(crate) fn is_replaced(world: &mut World, cluster: &str) {
    let waits = on(world, "steady").expect("one of the set's pods is there");
    let before = field(world, &["pod", &waits], ".metadata.uid");
    assert!(on(world, "hostnames").is_some(), "there is something to be lost");
    machines::kill(world, cluster, LOST);
    pods_are_told(world);
    they_run_elsewhere(world);
    // Nobody knows whether it still runs, so there is no second one of its name: it waits for the machine.
    let deleted = field(world, &["pod", &waits], ".metadata.deletionTimestamp");
    assert!(
        !deleted.is_empty() && field(world, &["pod", &waits], ".metadata.uid") == before,
        "{waits} is not replaced"
    );

    let expected =
        BTreeMap::from([(format!("update machine/{cluster}/{LOST}"), BTreeSet::from(["running".to_owned()]))]);
    assert_eq!(preview::update(world, cluster), expected);
    world.kubewright(&["update", "cluster", cluster, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    field_becomes(world, &["pods", &waits], ".metadata.uid", |after| !after.is_empty() && after != before);
    world.kubectl(&["wait", &format!("pod/{waits}"), "--for=condition=Ready", "--timeout=120s"]);
    stateful::keeps_its_data(world, &waits);
    assert_eq!(field(world, &["pod", &waits], ".spec.nodeName"), LOST, "where its volume is");
    world.kubectl(&["rollout", "status", "daemonset/tools", "--timeout=120s"]);
}

/// A pod of an app on the worker.
fn on(world: &World, app: &str) -> Option<String> {
    let selector = format!("--field-selector=spec.nodeName={LOST}");
    let names = field(world, &["pods", "-l", &format!("app={app}"), &selector], ".items[*].metadata.name");
    names.split_whitespace().next().map(str::to_owned)
}

/// Nobody hears of the node: it is unknown whether it is ready, its pods are not, and no Service leads to them.
fn pods_are_told(world: &World) {
    let ready = ".status.conditions[?(@.type==\"Ready\")].status";
    field_becomes(world, &["node", LOST], ready, |text| text == "Unknown");
    let taints = ".spec.taints[*].key";
    field_becomes(world, &["node", LOST], taints, |text| text.contains("node.kubernetes.io/unreachable"));
    let selector = format!("--field-selector=spec.nodeName={LOST}");
    let all = [".items[*]", ready].concat();
    field_becomes(world, &["pods", "-l", "app=tools", &selector], &all, |text| text == "False");
}

fn they_run_elsewhere(world: &World) {
    world.kubectl(&["rollout", "status", "deployment/hostnames", "--timeout=120s"]);
    let slices = ["endpointslices", "-l", "kubernetes.io/service-name=hostnames"];
    let nodes = ".items[*].endpoints[?(@.conditions.ready==true)].nodeName";
    field_becomes(world, &slices, nodes, |text| {
        text.split_whitespace().count() == 4 && text.split_whitespace().all(|node| node == "worker-1")
    });
}
