//! Rule: no two listeners of a machine want the same port.

use serde_json::Value;

use super::{Finding, World, sysctls};
use crate::effective::Draft;
use crate::format::amounts::parse_port_range;
use crate::{Cluster, Cni, LoadBalancer};

/// Linux hands out these to outgoing connections (`net.ipv4.ip_local_port_range`).
const EPHEMERAL: (u16, u16) = (32_768, 60_999);
/// Ports that are offered where another one can't be had.
const OFFERED: [u16; 4] = [6443, 8443, 7443, 9443];
/// VXLAN of flannel. It is UDP, and so may a Service be.
const VXLAN: (u16, &str) = (8472, "flannel");
/// Ports that Kubernetes' own components listen on, and SSH.
const TAKEN: [(u16, &str); 10] = [
    (22, "SSH, by which kubewright reaches the machines"),
    (2379, "etcd"),
    (2380, "etcd"),
    (2381, "etcd's metrics"),
    (10248, "kubelet's health"),
    (10249, "kube-proxy's metrics"),
    (10250, "kubelet"),
    (10256, "kube-proxy's health"),
    (10257, "kube-controller-manager"),
    (10259, "kube-scheduler"),
];

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let api = &cluster.value.spec.api;
    let mut wanted = vec![("spec.api.port", api.port, "the API")];
    if api.load_balancer == LoadBalancer::NodeLocal {
        wanted.push(("spec.api.loadBalancerPort", api.load_balancer_port, "the node-local load balancer"));
    }
    let read_only = cluster.value.spec.kubelet.config.get("readOnlyPort").and_then(Value::as_u64);
    if let Some(port) = read_only.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0) {
        wanted.push(("spec.kubelet.config.readOnlyPort", port, "kubelet's read-only API"));
    }
    let mut findings = node_ports(cluster, &wanted);
    // Where the user chose the range, it is held against the ports at its own place.
    let is_ephemeral =
        |port: u16| (EPHEMERAL.0..=EPHEMERAL.1).contains(&port) && !sysctls::writes_range(&cluster.value.spec.sysctls);
    let offer = offered(cluster, &wanted);
    for (field, port, what) in &wanted {
        if let Some((_, owner)) = TAKEN.iter().find(|(taken, _)| taken == port) {
            let message = format!("port {port} of {what} is that of {owner}");
            findings.push(
                Finding::error("spec::port-taken", message)
                    .at(cluster, *field)
                    .help(format!("choose a port that is free{offer}")),
            );
        } else if is_ephemeral(*port) {
            let message = format!("port {port} of {what} may be taken by an outgoing connection when it starts");
            let help = format!("choose one below {}{offer}", EPHEMERAL.0);
            findings.push(Finding::warning("spec::ephemeral-port", message).at(cluster, *field).help(help));
        }
    }
    for (index, (field, port, what)) in wanted.iter().enumerate() {
        for (first, _, other) in wanted.iter().take(index).filter(|(_, other, _)| other == port) {
            let message = format!("{other} and {what} both want port {port} of control-plane machines");
            findings.push(Finding::error("spec::port-taken", message).and(cluster, *field, (*what).to_owned()).and(
                cluster,
                *first,
                (*other).to_owned(),
            ));
        }
    }
    findings
}

/// A port that nobody wants, as words.
fn offered(cluster: &Draft<Cluster>, wanted: &[(&'static str, u16, &'static str)]) -> String {
    let node_ports = parse_port_range(&cluster.value.spec.kube_api_server.service_node_port_range);
    let is_node_port = |port: u16| node_ports.is_some_and(|(first, last)| (first..=last).contains(&port));
    let is_free = |port: &u16| !wanted.iter().any(|(_, other, _)| other == port) && !is_node_port(*port);
    OFFERED.into_iter().find(is_free).map(|port| format!(", such as {port}")).unwrap_or_default()
}

fn node_ports(cluster: &Draft<Cluster>, wanted: &[(&'static str, u16, &'static str)]) -> Vec<Finding> {
    const FIELD: &str = "spec.kubeAPIServer.serviceNodePortRange";
    let range = &cluster.value.spec.kube_api_server.service_node_port_range;
    let Some((first, last)) = parse_port_range(range) else { return Vec::new() };
    let inside = |port: u16| (first..=last).contains(&port);
    let mut findings = Vec::new();
    for (field, port, what) in wanted.iter().filter(|(_, port, _)| inside(*port)) {
        let message = format!("the node ports {range} include port {port} of {what}");
        let help = "a Service on that port would take it over on every machine; choose a range without it";
        findings.push(
            Finding::error("spec::node-ports", message)
                .and(cluster, FIELD, "the range")
                .and(cluster, *field, what.to_owned())
                .help(help),
        );
    }
    let vxlan = (cluster.value.spec.networking.cni == Cni::Flannel).then_some(VXLAN);
    let taken: Vec<(u16, &str)> = TAKEN.into_iter().chain(vxlan).filter(|(port, _)| inside(*port)).collect();
    if let [(port, owner), others @ ..] = taken.as_slice() {
        let more: Vec<String> = others.iter().map(|(port, owner)| format!(", {port} ({owner})")).collect();
        let message = format!("the node ports {range} include port {port} of {owner}{}", more.concat());
        findings.push(
            Finding::error("spec::node-ports", message)
                .at(cluster, FIELD)
                .help("choose a range without it, such as `30000-32767`"),
        );
    }
    let is_usual = !sysctls::writes_range(&cluster.value.spec.sysctls);
    if is_usual && first <= EPHEMERAL.1 && last >= EPHEMERAL.0 {
        let message = format!(
            "the node ports {range} overlap {}-{}, which Linux gives to outgoing connections",
            EPHEMERAL.0, EPHEMERAL.1
        );
        let help =
            "replies to such connections may go to a Service; choose a range without them, such as `30000-32767`";
        findings.push(Finding::warning("spec::ephemeral-port", message).at(cluster, FIELD).help(help));
    }
    findings
}
