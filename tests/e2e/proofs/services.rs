//! What debugging a Service asks, step by step: its name, its address, its endpoints.

use ipnet::Ipv4Net;

use super::{Tools, field, field_becomes, sorted};
use crate::world::World;

pub(super) fn all(world: &World, tools: &[Tools]) {
    a_name_comes_with_its_service(world, &tools[0]);
    names_resolve_on_every_node(world, tools);
    pods_know_where_to_ask(world, tools);
    requests_are_spread(world, tools);
    endpoints_are_the_ready_pods(world, &tools[0]);
}

/// SVC-03: without a Service there is no name; with one there is, and an address of the Services' range.
fn a_name_comes_with_its_service(world: &World, tools: &Tools) {
    let before = tools.run(world, "wget -qO- -T 2 http://hostnames 2>&1 || true");
    assert!(before.contains("bad address"), "nobody has this name: {before}");
    world.kubectl(&["expose", "deployment", "hostnames", "--port=80", "--target-port=9376"]);
    let address = field(world, &["service", "hostnames"], ".spec.clusterIP");
    let range: Ipv4Net = "10.96.0.0/12".parse().expect("a range");
    assert!(range.contains(&address.parse::<std::net::Ipv4Addr>().expect("an address")), "{address} is of {range}");
    tools.eventually(world, "wget -qO- -T 2 http://hostnames", |text| text.starts_with("hostnames-"));
}

/// SVC-04: three forms of a name resolve, from a pod on every node, and DNS is where every manual says.
fn names_resolve_on_every_node(world: &World, tools: &[Tools]) {
    let address = field(world, &["service", "hostnames"], ".spec.clusterIP");
    let script = "for name in hostnames hostnames.default hostnames.default.svc.cluster.local; \
        do wget -qO- -T 2 http://$name || exit 1; echo; done; nslookup hostnames.default.svc.cluster.local";
    for on_node in tools {
        let said = on_node.eventually(world, script, |_| true);
        assert_eq!(said.matches("hostnames-").count(), 3, "three forms on {}:\n{said}", on_node.node);
        assert!(said.contains("10.96.0.10:53") && said.contains(&format!("Address: {address}")), "{said}");
    }
}

/// SVC-06: kubelet writes where DNS is, what is appended to names, and when.
fn pods_know_where_to_ask(world: &World, tools: &[Tools]) {
    for on_node in tools {
        let text = on_node.run(world, "cat /etc/resolv.conf");
        let words = |first: &str| -> Vec<&str> {
            let line = text.lines().find_map(|line| line.strip_prefix(first));
            line.unwrap_or_default().split_whitespace().collect()
        };
        assert_eq!(words("nameserver "), ["10.96.0.10"], "{text}");
        assert!(words("options ").contains(&"ndots:5"), "{text}");
        let search = words("search ");
        // More than six are more than old programs read.
        assert!(search.len() <= 6, "{text}");
        assert!(search.starts_with(&["default.svc.cluster.local", "svc.cluster.local", "cluster.local"]), "{text}");
    }
}

/// SVC-08: one address, more than one pod that answers, on every node.
fn requests_are_spread(world: &World, tools: &[Tools]) {
    let address = field(world, &["service", "hostnames"], ".spec.clusterIP");
    for on_node in tools {
        let answers = asked(world, on_node, &address);
        let mut different = sorted(&answers);
        different.dedup();
        assert!(different.len() > 1, "only {different:?} answers on {}", on_node.node);
    }
}

/// SVC-10: a Service's endpoints, in both of their shapes, are its ready pods, and nobody else is asked.
fn endpoints_are_the_ready_pods(world: &World, tools: &Tools) {
    let pods = field(world, &["pods", "-l", "app=hostnames"], ".items[*].status.podIP");
    assert_eq!(sorted(&pods).len(), 3);
    are(world, &pods);
    let name = field(world, &["pods", "-l", "app=hostnames"], ".items[0].metadata.name");
    let address = field(world, &["pod", &name], ".status.podIP");
    world.kubectl(&["exec", &name, "--", "touch", "/tmp/unready"]);
    let ready: Vec<&str> = pods.split_whitespace().filter(|pod| *pod != address).collect();
    are(world, &ready.join(" "));
    // Nodes learn of it a moment later.
    tools.eventually(world, &many_times("hostnames"), |answers| !answers.contains(&name));
    world.kubectl(&["exec", &name, "--", "rm", "/tmp/unready"]);
    are(world, &pods);
}

/// Both Endpoints and EndpointSlice get to have just these addresses that are ready.
fn are(world: &World, addresses: &str) {
    let expected = sorted(addresses);
    let slices = ["endpointslices", "-l", "kubernetes.io/service-name=hostnames"];
    let ready = ".items[*].endpoints[?(@.conditions.ready==true)].addresses[0]";
    field_becomes(world, &slices, ready, |text| sorted(text) == expected);
    let ready = ".subsets[*].addresses[*].ip";
    field_becomes(world, &["endpoints", "hostnames"], ready, |text| sorted(text) == expected);
}

/// A dozen answers.
fn asked(world: &World, tools: &Tools, place: &str) -> String {
    tools.eventually(world, &many_times(place), |_| true)
}

fn many_times(place: &str) -> String {
    format!("for try in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO- -T 2 http://{place} || exit 1; echo; done")
}
