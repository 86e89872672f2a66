//! Rule: upstream resolvers are not the cluster's own DNS, and are of a family that machines have.

use std::net::IpAddr;

use super::{Finding, World};
use crate::check::join;
use crate::effective::Draft;
use crate::{Cluster, Networking};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let networking = &cluster.value.spec.networking;
    let mut findings = Vec::new();
    for (index, resolver) in networking.upstream_resolvers.iter().enumerate() {
        let Some(why) = unfit(networking, resolver) else {
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
    findings.extend(stub_domains(cluster));
    findings
}

/// Why CoreDNS can't ask this address.
fn unfit(networking: &Networking, resolver: &IpAddr) -> Option<&'static str> {
    if resolver.is_loopback() {
        Some("is a loopback address, which in CoreDNS' pod is CoreDNS itself")
    } else if networking.service_cidrs.iter().any(|range| range.contains(resolver)) {
        Some("is a Service of this cluster: CoreDNS would ask itself")
    } else if resolver.is_unspecified() || resolver.is_multicast() {
        Some("is not the address of a host")
    } else {
        None
    }
}

/// Domains with resolvers of their own. A Service may be one here: CoreDNS itself answers for the cluster's domain only.
fn stub_domains(cluster: &Draft<Cluster>) -> Vec<Finding> {
    let networking = &cluster.value.spec.networking;
    let mut findings = Vec::new();
    for (domain, servers) in &networking.stub_domains {
        let field = join("spec.networking.stubDomains", domain);
        let own = &networking.dns_domain;
        if domain == own || domain.ends_with(&format!(".{own}")) {
            let message = format!("names of {domain} are the cluster's own");
            findings.push(Finding::error("spec::resolver", message).at(cluster, &field).help("remove it"));
        }
        if servers.is_empty() {
            let message = format!("nobody is named who knows {domain}");
            let help = "name DNS servers, or remove the domain";
            findings.push(Finding::error("spec::resolver", message).at(cluster, &field).help(help));
        }
        for (index, server) in servers.iter().enumerate() {
            let is_service = networking.service_cidrs.iter().any(|range| range.contains(server));
            if let Some(why) = unfit(networking, server).filter(|_| !is_service) {
                let finding = Finding::error("spec::resolver", format!("the resolver {server} {why}"));
                findings.push(finding.at(cluster, format!("{field}[{index}]")).help("name a DNS server"));
            }
        }
    }
    findings
}

/// Machines with IPv4 addresses only have no way to an IPv6 resolver.
fn unreachable(cluster: &Draft<Cluster>, index: usize) -> Option<Finding> {
    if cluster.value.spec.provider.machines().ipv6 {
        return None;
    }
    let resolvers = &cluster.value.spec.networking.upstream_resolvers;
    let resolver = resolvers.get(index).filter(|resolver| resolver.is_ipv6())?;
    let outcome = if resolvers.iter().all(IpAddr::is_ipv6) {
        "names outside the cluster will not be resolved"
    } else {
        "CoreDNS would wait for it in vain"
    };
    let message = format!("the resolver {resolver} has an IPv6 address, and no machine has an IPv6 route: {outcome}");
    let path = format!("spec.networking.upstreamResolvers[{index}]");
    let help = "name a resolver with an IPv4 address, or leave the field out for the host's";
    Some(Finding::warning("spec::resolver", message).at(cluster, path).help(help))
}
