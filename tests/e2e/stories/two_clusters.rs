//! Two clusters made at once share a host and a kubeconfig, and know nothing of each other.

use serde_json::Value;

use crate::checks;
use crate::world::World;

const NAMES: [&str; 2] = ["two1", "two2"];

pub(crate) fn story(world: &mut World) {
    let creating = NAMES.map(|name| world.start_kubewright(&["create", "cluster", name, "--node-count", "0", "--yes"]));
    for (name, running) in NAMES.iter().zip(creating) {
        let (status, said) = running.finish();
        assert!(status.success(), "creating {name} ended with {status}:\n{said}");
    }
    for name in NAMES {
        world.kubectl(&["config", "use-context", name]);
        checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
        checks::nothing_to_do(world, name);
    }
    let [first, second] = NAMES;
    world.kubectl(&["create", "configmap", "mine"]);
    let before = pods(world);
    world.kubewright(&["delete", "cluster", first, "--yes"]);
    assert_eq!(world.kubectl(&["config", "get-contexts", "-o", "name"]).trim(), second);
    world.kubectl(&["get", "configmap", "mine"]);
    let after = pods(world);
    assert!(before.iter().all(|pod| after.contains(pod)), "the other cluster's pods go on: {before:?} {after:?}");
    checks::nothing_to_do(world, second);
}

/// Name, identity and restarts of every pod.
fn pods(world: &World) -> Vec<(Value, Value, Value)> {
    let pods = world.get(&["pods", "-A"]);
    let pods = pods["items"].as_array().expect("pods");
    let seen = |pod: &Value| {
        let restarts = &pod["status"]["containerStatuses"][0]["restartCount"];
        (pod["metadata"]["name"].clone(), pod["metadata"]["uid"].clone(), restarts.clone())
    };
    pods.iter().map(seen).collect()
}
