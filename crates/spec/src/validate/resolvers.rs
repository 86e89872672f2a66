//! Rule: upstream resolvers are not the cluster's own DNS.

use super::{Finding, World};

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
