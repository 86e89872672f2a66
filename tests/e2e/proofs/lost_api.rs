//! C-01, CLU-05: the only API server is away. What runs goes on; afterwards changes do as well.

use std::time::{Duration, Instant};

use super::{Tools, field, field_becomes};
use crate::world::World;
use crate::{probe, traffic};

const CONTROL_PLANE: &str = "control-plane-1";
const MANIFEST: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/// How long it is away at least.
const AWAY: Duration = Duration::from_secs(6);

/// Services answer the host, and pods on every node by name, while nobody can change anything.
pub(super) fn services_go_on(world: &World, cluster: &str, tools: &[Tools]) {
    let port = field(world, &["service", "on-nodes"], ".spec.ports[0].nodePort");
    let places = traffic::nodes(world).into_iter().map(|node| format!("{}:{port}", node.address));
    let places: Vec<String> = places.collect();
    let pods = identities(world);
    let before: Vec<(usize, usize)> = tools.iter().map(|on_node| answers(world, on_node)).collect();

    let script = format!("mv {MANIFEST} /root/ && pkill -KILL kube-apiserver");
    world.quietly_on_machine(cluster, CONTROL_PLANE, &script);
    let since = Instant::now();
    let mut asked = 0;
    while since.elapsed() < AWAY {
        assert!(!world.try_kubectl(&["get", "--raw", "/livez", "--request-timeout=2s"]).status.success(), "it is away");
        for place in &places {
            assert!(probe::answers(place), "{place} does not answer when the API server is away");
            asked += 1;
        }
    }
    assert!(asked > places.len() * 3, "asked only {asked} times");
    world.quietly_on_machine(cluster, CONTROL_PLANE, &format!("mv /root/kube-apiserver.yaml {MANIFEST}"));
    world.eventually(&["get", "--raw", "/readyz"], |text| text == "ok");

    for (on_node, (answered, lost)) in tools.iter().zip(before) {
        let (answered_now, lost_now) = answers(world, on_node);
        assert_eq!(lost_now, lost, "pods on {} lost requests", on_node.node);
        assert!(answered_now > answered + 5, "pods on {} asked on", on_node.node);
    }
    assert_eq!(identities(world), pods, "no pod was made anew or started again");
}

/// Requests of the pod that asks all the time: answered, lost.
fn answers(world: &World, tools: &Tools) -> (usize, usize) {
    let log = world.eventually(&["logs", &tools.pod, "-c", "asks"], |_| true);
    (log.matches("answered").count(), log.matches("lost").count())
}

fn identities(world: &World) -> String {
    let each = "range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount}{\"\\n\"}{end";
    field(world, &["pods", "-l", "app in (hostnames, tools, steady)"], each)
}

/// All controllers work again: Deployments, endpoints, accounts of namespaces.
pub(super) fn changes_go_on(world: &World) {
    world.kubectl(&["scale", "deployment/hostnames", "--replicas=4"]);
    world.kubectl(&["create", "namespace", "later"]);
    world.kubectl(&["rollout", "status", "deployment/hostnames", "--timeout=120s"]);
    let ready = ".subsets[*].addresses[*].ip";
    field_becomes(world, &["endpoints", "hostnames"], ready, |text| text.split_whitespace().count() == 4);
    field_becomes(world, &["serviceaccount", "-n", "later", "default"], ".metadata.name", |text| text == "default");
    world.kubectl(&["delete", "namespace", "later", "--wait=false"]);
}
