//! Traffic in a cluster: between pods, through services, from nodes and from outside, and while pods are replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::probe;
use crate::world::World;

/// A node of the cluster.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
}

/// The nodes with their addresses.
pub(crate) fn nodes(world: &World) -> Vec<Node> {
    let line = "jsonpath={range .items[*]}{.metadata.name} {.status.addresses[?(@.type==\"InternalIP\")].address}{\"\\n\"}{end}";
    let text = world.kubectl(&["get", "nodes", "-o", line]);
    let node = |line: &str| {
        let (name, address) = line.split_once(' ').expect("a name and an address");
        Node { name: name.to_owned(), address: address.to_owned() }
    };
    text.lines().map(node).collect()
}

/// Starts the web service and waits for its pods.
pub(crate) fn start_web(world: &World) {
    start_web_of(world, probe::AGNHOST);
}

/// Starts the web service with the agnhost of another minor.
pub(crate) fn start_web_of(world: &World, agnhost: &str) {
    world.apply(&probe::MANIFEST.replace(probe::AGNHOST, agnhost));
    world.kubectl(&["rollout", "status", "deployment/web", "--timeout=120s"]);
}

/// Removes the web service.
pub(crate) fn stop_web(world: &World) {
    world.kubectl(&["delete", "deployment/web", "service/web", "--wait=true"]);
}

/// Pods talk across nodes, by service address and by name, from pods, nodes and outside.
pub(crate) fn pods_talk(world: &mut World, cluster: &str) {
    let pods = world.get(&["pods", "-l", "app=web"]);
    let pods = pods["items"].as_array().expect("pods").clone();
    let first = text(&pods[0]["metadata"]["name"]);
    let mut hosts: Vec<String> = pods.iter().map(|pod| text(&pod["spec"]["nodeName"])).collect();
    hosts.sort();
    hosts.dedup();
    assert_eq!(hosts.len(), 2, "three replicas stand on both workers: {hosts:?}");
    for pod in &pods {
        let address = text(&pod["status"]["podIP"]);
        assert!(address.starts_with("10.244."), "pod addresses are from the pod range: {address}");
        probe::from_pod(world, &first, &format!("{address}:8080"));
    }
    let service = world.get(&["service", "web"]);
    let cluster_ip = text(&service["spec"]["clusterIP"]);
    probe::from_pod(world, &first, &format!("{cluster_ip}:80"));
    probe::from_pod(world, &first, "web:80");
    probe::from_pod(world, &first, "web.default.svc.cluster.local:80");
    let node_port = node_port(&service);
    for node in nodes(world) {
        probe::from_host(&format!("{}:{node_port}", node.address));
        probe::from_node(world, cluster, &node.name, &cluster_ip, 80);
    }
}

/// Replicas come and go; one that is alone reaches itself through its service.
pub(crate) fn scales(world: &World) {
    for replicas in ["1", "4", "2"] {
        world.kubectl(&["scale", "deployment/web", &format!("--replicas={replicas}")]);
        world.eventually(&["get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}"], |text| text == replicas);
        if replicas == "1" {
            world.eventually(&["get", "pods", "-l", "app=web", "-o", "name"], |text| text.lines().count() == 1);
            let alone = world.kubectl(&["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"]);
            probe::from_pod(world, &alone, "web:80");
        }
    }
}

/// A rolling update and its undoing lose no request.
pub(crate) fn rolls_without_loss(world: &World) {
    let node = nodes(world).remove(0);
    let target = format!("{}:{}", node.address, node_port(&world.get(&["service", "web"])));
    probe::from_host(&target);
    let over = AtomicBool::new(false);
    let (asked, lost) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(&target, &over));
        world.kubectl(&["set", "env", "deployment/web", "ROUND=2"]);
        world.kubectl(&["rollout", "status", "deployment/web", "--timeout=120s"]);
        world.kubectl(&["rollout", "undo", "deployment/web"]);
        world.kubectl(&["rollout", "status", "deployment/web", "--timeout=120s"]);
        over.store(true, Ordering::Relaxed);
        asking.join().expect("asking goes on to the end")
    });
    assert!(asked > 20, "only {asked} requests in two rollouts");
    assert_eq!(lost, 0, "{lost} of {asked} requests were lost in a rolling update and its undoing");
}

/// How many requests were sent, and how many of them got no answer.
fn ask_until(target: &str, over: &AtomicBool) -> (usize, usize) {
    let (mut asked, mut lost) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        asked += 1;
        lost += usize::from(!probe::answers(target));
        std::thread::sleep(Duration::from_millis(50));
    }
    (asked, lost)
}

fn node_port(service: &Value) -> u64 {
    service["spec"]["ports"][0]["nodePort"].as_u64().expect("a node port")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
