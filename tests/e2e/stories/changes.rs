//! Changes touch only what they name, and the preview said so: a taint, a setting of kubelet, a flag of the API server.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;
use crate::{checks, preview};

const CLUSTER: &str = "change1";
const API_SERVER: &str = "kube-apiserver-control-plane-1";
const CONTROLLERS: &str = "kube-controller-manager-control-plane-1";
const SCHEDULER: &str = "kube-scheduler-control-plane-1";
const NAMES: [&str; 2] = ["control-plane-1", "worker-1"];

pub(crate) fn story(world: &mut World) {
    world.kubewright(&["create", "cluster", CLUSTER, "--node-count", "1", "--yes"]);
    checks::nodes_and_system(world, "1.36.3", &NAMES);
    // Kubelet tells the API of its static pods when it comes to it.
    let running = "jsonpath={.items[*].status.containerStatuses[0].state.running.startedAt}";
    world.eventually(&["get", "pods", "-n", "kube-system", "-l", "tier=control-plane", "-o", running], |text| {
        text.split_whitespace().count() == 4
    });
    let before = started(world);

    let taint = "spec.taints=[{key: dedicated, value: web, effect: NoSchedule}]";
    changed(world, &["--instance-group", "worker", taint], &[("update node/worker-1", "taints")]);
    world.eventually(&["get", "node", "worker-1", "-o", "jsonpath={.spec.taints[*].key}"], |keys| keys == "dedicated");
    assert_eq!(started(world), before, "a taint restarts nothing");

    let kubelet = "files /var/lib/kubelet/config.yaml content";
    let pods = ["--instance-group", "worker", "spec.kubelet.config={maxPods: 77}"];
    changed(world, &pods, &[("update machine-config/worker-1", kubelet)]);
    let pods = ["get", "node", "worker-1", "-o", "jsonpath={.status.allocatable.pods}"];
    world.eventually(&pods, |text| text == "77");
    assert_eq!(started(world), before, "no other program restarts than the kubelet of worker-1");

    let api_server = "files /etc/kubernetes/manifests/kube-apiserver.yaml content";
    let flag = ["spec.kubeAPIServer.extraArgs={max-requests-inflight: \"555\"}"];
    // What kubeadm would make of it is kept beside it.
    let kept = "update object/v1/ConfigMap/kube-system/kubeadm-config";
    changed(
        world,
        &flag,
        &[("update machine-config/control-plane-1", api_server), (kept, "manifest data ClusterConfiguration")],
    );
    let command = ["get", "pod", "-n", "kube-system", API_SERVER, "-o", "jsonpath={.spec.containers[0].command}"];
    world.eventually(&command, |text| text.contains("--max-requests-inflight=555"));
    let after = started(world);
    let differs = |name: &&String| before.get(*name) != after.get(*name);
    let restarted: BTreeSet<&str> = after.keys().filter(differs).map(String::as_str).collect();
    assert!(restarted.contains(API_SERVER), "{restarted:?} restart");
    // These two end when the only API server keeps them waiting, as everywhere.
    let others: Vec<_> = restarted.difference(&BTreeSet::from([API_SERVER, CONTROLLERS, SCHEDULER])).copied().collect();
    assert!(others.is_empty(), "{others:?} restart too");
    checks::nodes_and_system(world, "1.36.3", &NAMES);
}

/// Changes the documents; the preview names just these fields, and the update leaves nothing to do.
fn changed(world: &mut World, set: &[&str], expected: &[(&str, &str)]) {
    world.kubewright(&[&["set", "cluster", CLUSTER], set].concat());
    let expected: BTreeMap<String, BTreeSet<String>> =
        expected.iter().map(|(change, field)| ((*change).to_owned(), BTreeSet::from([(*field).to_owned()]))).collect();
    assert_eq!(preview::update(world, CLUSTER), expected);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    checks::nothing_to_do(world, CLUSTER);
}

/// When each container of the system was last started, by its pod's name.
fn started(world: &World) -> BTreeMap<String, String> {
    let line = "jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].state.running.startedAt}{\"\\n\"}{end}";
    let text = world.kubectl(&["get", "pods", "-n", "kube-system", "-o", line]);
    text.lines().filter_map(|line| line.split_once(' ')).map(|(pod, at)| (pod.to_owned(), at.to_owned())).collect()
}
