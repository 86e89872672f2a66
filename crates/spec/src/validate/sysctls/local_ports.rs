//! The range of ports that Linux gives to outgoing connections is held against ports that are listened on.

use std::collections::BTreeMap;

use super::dotted;
use super::values::{LOCAL_PORTS, numbers, wrong};
use crate::check::join;
use crate::effective::Draft;
use crate::format::amounts::parse_port_range;
use crate::validate::Finding;
use crate::{Cluster, LoadBalancer};

/// Ports that Linux gives to nobody.
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";

/// The user chose the range.
pub(in super::super) fn writes_range(sysctls: &BTreeMap<String, String>) -> bool {
    sysctls.keys().any(|name| dotted(name) == LOCAL_PORTS)
}

/// What is wrong with the range that `draft` writes.
pub(super) fn check<T>(cluster: &Cluster, draft: &Draft<T>, sysctls: &BTreeMap<String, String>) -> Option<Finding> {
    let (name, value) = sysctls.iter().find(|(name, _)| dotted(name) == LOCAL_PORTS)?;
    let range = numbers(value).filter(|_| wrong(LOCAL_PORTS, value).is_none())?;
    let (first, last) = (*range.first()?, *range.last()?);
    let reserved = reserved(&cluster.spec.sysctls, sysctls);
    let is_given = |(from, to): (u16, u16)| {
        let given = |port: &u16| (first..=last).contains(&i64::from(*port));
        let is_kept = |port: &u16| reserved.iter().any(|(from, to)| (from..=to).contains(&port));
        (from..=to).any(|port| given(&port) && !is_kept(&port))
    };
    let taken: Vec<String> = listened_on(cluster)
        .into_iter()
        .filter(|(ports, _)| is_given(*ports))
        .map(|((from, to), what)| if from == to { format!("{from} ({what})") } else { format!("{from}-{to} ({what})") })
        .collect();
    if taken.is_empty() {
        return None;
    }
    let message = format!("`{name}` gives ports to outgoing connections that are listened on: {}", taken.join(", "));
    let help = format!("choose a range without them, or keep them out by `{RESERVED}`");
    Some(Finding::warning("spec::ephemeral-port", message).at(draft, join("spec.sysctls", name)).help(help))
}

fn listened_on(cluster: &Cluster) -> Vec<((u16, u16), &'static str)> {
    let api = &cluster.spec.api;
    let balancer = (api.load_balancer == LoadBalancer::NodeLocal).then_some(api.load_balancer_port);
    let mut all = vec![((api.port, api.port), "the API"), ((10_250, 10_250), "kubelet")];
    all.extend(balancer.map(|port| ((port, port), "the node-local load balancer")));
    let node_ports = parse_port_range(&cluster.spec.kube_api_server.service_node_port_range);
    all.extend(node_ports.map(|range| (range, "node ports")));
    all
}

/// The ranges of a list such as `6443,30000-32767`, of the group or else of the cluster.
fn reserved(cluster: &BTreeMap<String, String>, own: &BTreeMap<String, String>) -> Vec<(u16, u16)> {
    let find = |sysctls: &BTreeMap<String, String>| {
        sysctls.iter().find(|(name, _)| dotted(name) == RESERVED).map(|(_, value)| value.clone())
    };
    let list = find(own).or_else(|| find(cluster)).unwrap_or_default();
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    };
    list.split(',').filter_map(range).collect()
}
