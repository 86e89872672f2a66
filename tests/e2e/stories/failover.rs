//! Each control plane dies in its turn: the API stays, pods go on, and an update brings it back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::{World, both};
use crate::{checks, machines, preview, probe};

const CLUSTER: &str = "failover1";
const NAMES: [&str; 4] = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1"];

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--control-plane-count", "3", "--node-count", "1", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    world.apply(probe::MANIFEST);
    world.kubectl(&["rollout", "status", "deployment/web", "--timeout=120s"]);
    change_without(world, NAMES[0]);
    // The first is the one that the kubeconfig names.
    for (round, dead) in NAMES.into_iter().take(3).enumerate() {
        outlive(world, dead, round);
    }
    checks::nothing_to_do(world, CLUSTER);
}

/// Lets no new connection to sshd in; a machine that is booted again knows nothing of it.
const HIDE: &str = "nft \"add table inet story; add chain inet story input { type filter hook input priority 0; }; \
                    add rule inet story input tcp dport 22 tcp flags & (syn|ack) == syn reject with tcp reset\"";

/// What is in the cluster is mended while nobody reaches one of its control planes: the others serve the same API.
fn change_without(world: &mut World, unseen: &str) {
    world.on_machine(CLUSTER, unseen, HIDE);
    let limit = ["get", "deployment", "coredns", "-n", "kube-system", "-o", "jsonpath={..limits.memory}"];
    let before = world.kubectl(&limit);
    let other = r#"{"spec":{"template":{"spec":{"containers":[{"name":"coredns","resources":{"limits":{"memory":"181Mi"}}}]}}}}"#;
    world.kubectl(&["patch", "deployment", "coredns", "-n", "kube-system", "-p", other]);
    assert_ne!(world.kubectl(&limit), before);
    let output = world.try_kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert_eq!(output.status.code(), Some(21), "somebody has to look at {unseen}: {}", both(&output));
    assert!(both(&output).contains(unseen), "it is named: {}", both(&output));
    assert_eq!(world.kubectl(&limit), before);
}

/// The cluster goes on without a control plane, and gets it back.
fn outlive(world: &mut World, dead: &str, round: usize) {
    let (pods, replicas) = (web(world), (4 + round).to_string());
    machines::kill(world, CLUSTER, dead);
    world.kubewright(&["export", "kubeconfig", CLUSTER]);
    // Where etcd's leader died, a write may time out until there is a new one.
    let written = format!("written-without={dead}");
    world.eventually(&["annotate", "namespace/default", &written, "--overwrite"], |_| true);
    // Its own way to the API is the balancer on its machine; controllers and scheduler may have to be elected anew.
    world.eventually(&["scale", "deployment/web", &format!("--replicas={replicas}")], |_| true);
    world.eventually(&["get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}"], |text| text == replicas);
    assert!(pods.iter().all(|pod| web(world).contains(pod)), "pods go on");

    let expected =
        BTreeMap::from([(format!("update machine/{CLUSTER}/{dead}"), BTreeSet::from(["running".to_owned()]))]);
    assert_eq!(preview::update(world, CLUSTER), expected);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    checks::etcd_is_whole(world, dead, 3);
    let read = world.kubectl(&["get", "namespace/default", "-o", "jsonpath={.metadata.annotations.written-without}"]);
    assert_eq!(read, dead);
}

/// Identity and restarts of the web service's pods.
fn web(world: &World) -> Vec<(Value, Value)> {
    let pods = world.get(&["pods", "-l", "app=web"]);
    let pods = pods["items"].as_array().expect("pods");
    let seen =
        |pod: &Value| (pod["metadata"]["uid"].clone(), pod["status"]["containerStatuses"][0]["restartCount"].clone());
    pods.iter().map(seen).collect()
}
