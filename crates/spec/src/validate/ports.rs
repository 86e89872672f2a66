//! Rule: no two listeners of a machine want the same port.

use super::{Finding, World};
use crate::effective::Draft;
use crate::format::amounts::parse_port_range;
use crate::{Cluster, LoadBalancer};

/// Ports that Kubernetes' own components listen on.
const TAKEN: [(u16, &str); 9] = [
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
    let mut findings = node_ports(cluster, &wanted);
    for (field, port, what) in &wanted {
        if let Some((_, owner)) = TAKEN.iter().find(|(taken, _)| taken == port) {
            let message = format!("port {port} of {what} is that of {owner}");
            findings.push(
                Finding::error("spec::port-taken", message)
                    .at(cluster, *field)
                    .help("choose a port that is free, such as 6443"),
            );
        }
    }
    if let [(first, port, _), (second, other, _)] = wanted.as_slice()
        && port == other
    {
        let message =
            format!("the API and the node-local load balancer both want port {port} of control-plane machines");
        findings.push(
            Finding::error("spec::port-taken", message)
                .and(cluster, *second, "the load balancer")
                .and(cluster, *first, "the API"),
        );
    }
    findings
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
    if let Some((port, owner)) = TAKEN.iter().find(|(port, _)| inside(*port)) {
        let message = format!("the node ports {range} include port {port} of {owner}");
        findings.push(
            Finding::error("spec::node-ports", message)
                .at(cluster, FIELD)
                .help("choose a range without it, such as `30000-32767`"),
        );
    }
    findings
}
