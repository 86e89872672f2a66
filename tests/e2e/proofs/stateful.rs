//! STS-01: a StatefulSet's pods have names and volumes that stay.

use super::{Tools, field, field_becomes};
use crate::world::World;

pub(super) fn all(world: &World, tools: &[Tools]) {
    world.kubectl(&["rollout", "status", "statefulset/steady", "--timeout=120s"]);
    they_come_in_order(world);
    their_names_resolve(world, &tools[0]);
    one_that_is_made_anew_is_the_same(world);
}

/// The second was not made before the first was ready; each has a volume of its own.
fn they_come_in_order(world: &World) {
    let names = field(world, &["pods", "-l", "app=steady"], ".items[*].metadata.name");
    assert_eq!(names, "steady-0 steady-1");
    let ready = field(world, &["pod", "steady-0"], ".status.conditions[?(@.type==\"Ready\")].lastTransitionTime");
    let made = field(world, &["pod", "steady-1"], ".metadata.creationTimestamp");
    assert!(ready <= made, "ready at {ready}, made at {made}");
    for number in ["0", "1"] {
        let claim = format!("data-steady-{number}");
        assert_eq!(field(world, &["pvc", &claim], ".status.phase"), "Bound");
        let pod = format!("steady-{number}");
        assert_eq!(field(world, &["pod", &pod], ".spec.volumes[0].persistentVolumeClaim.claimName"), claim);
        world.kubectl(&["exec", &pod, "--", "sh", "-c", "hostname > /data/whose && sync"]);
    }
}

fn their_names_resolve(world: &World, tools: &Tools) {
    for name in ["steady-0", "steady-1"] {
        let script = format!("wget -qO- -T 2 http://{name}.steady.default.svc.cluster.local:9376");
        tools.eventually(world, &script, |text| text == name);
    }
}

fn one_that_is_made_anew_is_the_same(world: &World) {
    let before = field(world, &["pod", "steady-0"], ".metadata.uid");
    world.kubectl(&["delete", "pod", "steady-0", "--wait=true"]);
    field_becomes(world, &["pods", "steady-0"], ".metadata.uid", |after| !after.is_empty() && after != before);
    world.kubectl(&["wait", "pod/steady-0", "--for=condition=Ready", "--timeout=120s"]);
    keeps_its_data(world, "steady-0");
}

/// What a pod of the set wrote is on the volume of the pod that has its name now.
pub(super) fn keeps_its_data(world: &World, pod: &str) {
    let whose = world.eventually(&["exec", pod, "--", "cat", "/data/whose"], |_| true);
    assert_eq!(whose.trim(), pod);
}
