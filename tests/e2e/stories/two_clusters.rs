//! Two clusters made at once share a host and a kubeconfig, and know nothing of each other; a third of the same name in
//! another state is refused.

use serde_json::Value;

use crate::checks;
use crate::world::{World, both};

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
    another_state_with_this_name(world, second);
    checks::nothing_to_do(world, second);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
}

/// Another state's cluster of the same name is refused before anything is made, and told whose this one is.
fn another_state_with_this_name(world: &mut World, name: &str) {
    let elsewhere = world.path("elsewhere");
    let state = elsewhere.display().to_string();
    let own = world.state().display().to_string();
    for consent in [&["--yes"][..], &[]] {
        let refused = world.try_kubewright(&[&["create", "cluster", name, "--state", &state], consent].concat());
        let said = both(&refused);
        assert_eq!(refused.status.code(), Some(11), "{said}");
        assert!(said.contains("of another state") && said.contains(&own), "whose it is: {said}");
        assert!(!elsewhere.join("clusters").join(name).exists(), "nothing is kept");
    }
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
