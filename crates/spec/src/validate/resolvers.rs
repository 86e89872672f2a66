//! Rule: upstream resolvers are not the cluster's own DNS, and are of a family that machines have.

use super::{Finding, World};
use crate::effective::Draft;
use crate::{Cluster, Provider};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let networking = &cluster.value.spec.networking;
    let mut findings = Vec::new();
    for (index, resolver) in networking.upstream_resolvers.iter().enumerate() {
        let why = if resolver.is_loopback() {
            "is a loopback address, which in CoreDNS' pod is CoreDNS itself"
        } else if networking.service_cidrs.iter().any(|range| range.contains(resolver)) {
            "is a Service of this cluster: CoreDNS would ask itself"
        } else if resolver.is_unspecified() || resolver.is_multicast() {
            "is not the address of a host"
        } else {
            findings.extend(unreachable(cluster, index));
            continue;
        };
        let path = format!("spec.networking.upstreamResolvers[{index}]");
        findings.push(
            Finding::error("spec::resolver", format!("the resolver {resolver} {why}"))
                .at(cluster, path)
                .help("name a DNS server outside the cluster"),
        );
    }
    findings
}

/// Machines with IPv4 addresses only have no way to an IPv6 resolver.
fn unreachable(cluster: &Draft<Cluster>, index: usize) -> Option<Finding> {
    let Provider::Local = cluster.value.spec.provider;
    let resolvers = &cluster.value.spec.networking.upstream_resolvers;
    let resolver = resolvers.get(index).filter(|resolver| resolver.is_ipv6())?;
    let outcome = if resolvers.iter().all(std::net::IpAddr::is_ipv6) {
        "names outside the cluster will not be resolved"
    } else {
        "CoreDNS would wait for it in vain"
    };
    let message = format!("the resolver {resolver} has an IPv6 address, and no machine has an IPv6 route: {outcome}");
    let path = format!("spec.networking.upstreamResolvers[{index}]");
    let help = "name a resolver with an IPv4 address, or leave the field out for the host's";
    Some(Finding::warning("spec::resolver", message).at(cluster, path).help(help))
}
