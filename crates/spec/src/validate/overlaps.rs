//! Rule: address ranges keep clear of each other, of special ranges and of the host's networks.

use ipnet::IpNet;

use super::{Finding, World};
use crate::Cluster;
use crate::effective::Draft;
use crate::free_ranges::overlap;

/// Ranges with a meaning of their own.
const SPECIAL: [(&str, &str); 5] = [
    ("0.0.0.0/8", "\"this network\""),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local addresses"),
    ("224.0.0.0/3", "multicast and reserved addresses"),
    ("fe80::/10", "link-local addresses"),
];

/// One of the cluster's ranges.
struct Range {
    field: String,
    what: &'static str,
    net: IpNet,
    /// It becomes a network of this host.
    is_made_here: bool,
}

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let ranges = ranges(&cluster.value);
    let mut findings = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        findings.extend(special(cluster, range));
        findings.extend(host(world, cluster, range));
        for other in ranges.iter().skip(index + 1).filter(|other| overlap(range.net, other.net)) {
            let message = format!("the {} {} overlaps the {} {}", other.what, other.net, range.what, range.net);
            findings.push(
                Finding::error("spec::overlapping-ranges", message)
                    .and(cluster, &*other.field, other.what)
                    .and(cluster, &*range.field, range.what)
                    .help("choose ranges that have no address in common"),
            );
        }
    }
    findings
}

fn ranges(cluster: &Cluster) -> Vec<Range> {
    let networking = &cluster.spec.networking;
    let mut ranges = Vec::new();
    for (field, what, nets) in
        [("podCIDRs", "pod range", &networking.pod_cidrs), ("serviceCIDRs", "service range", &networking.service_cidrs)]
    {
        for (index, net) in nets.iter().enumerate() {
            let field = format!("spec.networking.{field}[{index}]");
            ranges.push(Range { field, what, net: *net, is_made_here: false });
        }
    }
    ranges.extend(cluster.spec.machine_ranges().into_iter().map(|range| Range {
        field: range.field.to_owned(),
        what: "machines' network",
        net: range.net,
        is_made_here: range.is_made_here,
    }));
    ranges
}

fn special(cluster: &Draft<Cluster>, range: &Range) -> Option<Finding> {
    let (net, meaning) = SPECIAL.iter().find(|(net, _)| net.parse().is_ok_and(|net| overlap(net, range.net)))?;
    let message = format!("the {} {} overlaps {net}, which is {meaning}", range.what, range.net);
    Some(
        Finding::error("spec::special-range", message)
            .at(cluster, &*range.field)
            .help("choose a private range, such as one in 10.0.0.0/8"),
    )
}

fn host(world: &World<'_>, cluster: &Draft<Cluster>, range: &Range) -> Option<Finding> {
    let route = world.surroundings.route_over(range.net)?;
    let message = format!("the {} {} overlaps {route}, to which this host has a route", range.what, range.net);
    Some(if range.is_made_here {
        Finding::error("spec::host-route", message)
            .at(cluster, &*range.field)
            .help("choose another network, or leave the field out for a free one")
    } else {
        Finding::warning("spec::host-route", message)
            .at(cluster, &*range.field)
            .help("pods could not reach hosts there; choose another range if they must")
    })
}
