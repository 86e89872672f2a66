//! Rule: address ranges are of one family, and large enough for the machines and not larger than Kubernetes takes.

use super::{Finding, World};
use crate::Cluster;
use crate::effective::Draft;
use ipnet::IpNet;

/// kube-apiserver takes at most 2^20 Service addresses.
const LARGEST_SERVICE_PREFIX: u8 = 12;
/// Fewer than 256 Services are soon too few, and the range can't be changed.
const SMALLEST_SERVICE_PREFIX: u8 = 24;
/// kube-controller-manager hands out at most 2^16 node ranges.
const MOST_NODE_BITS: u8 = 16;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let networking = &cluster.value.spec.networking;
    let mut findings = Vec::new();
    for (field, ranges) in [("podCIDRs", &networking.pod_cidrs), ("serviceCIDRs", &networking.service_cidrs)] {
        findings.extend(families(cluster, field, ranges));
    }
    if let Some(IpNet::V4(range)) = networking.pod_cidrs.first() {
        findings.extend(pods(world, cluster, range.prefix_len()));
    }
    if let Some(IpNet::V4(range)) = networking.service_cidrs.first() {
        findings.extend(services(cluster, range.prefix_len()));
    }
    findings
}

/// Ranges are of families that machines have addresses of, and no two of one family.
fn families(cluster: &Draft<Cluster>, field: &str, ranges: &[IpNet]) -> Vec<Finding> {
    let provider = cluster.value.spec.provider;
    let path = |index| format!("spec.networking.{field}[{index}]");
    let is_ipv6 = |range: &IpNet| matches!(range, IpNet::V6(_));
    let mut findings = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        if is_ipv6(range) && !provider.machines().ipv6 {
            let name = provider.name();
            let message =
                format!("{range} is an IPv6 range, and machines of the provider `{name}` have IPv4 addresses only");
            findings.push(Finding::error("spec::wrong-family", message).at(cluster, path(index)));
        } else if ranges[..index].iter().any(|earlier| is_ipv6(earlier) == is_ipv6(range)) {
            let family = if is_ipv6(range) { "IPv6" } else { "IPv4" };
            let message = format!("two {family} ranges in `{field}`; a second range must be of the other family");
            findings.push(
                Finding::error("spec::wrong-family", message)
                    .at(cluster, path(index))
                    .help("keep one of them, and make it larger"),
            );
        }
    }
    findings
}

fn pods(world: &World<'_>, cluster: &Draft<Cluster>, prefix: u8) -> Vec<Finding> {
    let networking = &cluster.value.spec.networking;
    let (mask, range) = (networking.node_cidr_mask_size, networking.pod_cidrs.first());
    let range = range.map(ToString::to_string).unwrap_or_default();
    let at = |finding: Finding| {
        finding.and(cluster, "spec.networking.podCIDRs[0]", "the pods' range").and(
            cluster,
            "spec.networking.nodeCIDRMaskSize",
            "each node's part",
        )
    };
    if prefix > mask {
        let message = format!("the pod range {range} is too small: each node gets a /{mask} of it");
        return vec![
            at(Finding::error("spec::range-too-small", message)).help("widen the range, such as `10.244.0.0/16`"),
        ];
    }
    if mask - prefix > MOST_NODE_BITS {
        let message = format!(
            "kube-controller-manager can't cut {range} into parts of /{mask}: more than 2^{MOST_NODE_BITS} nodes"
        );
        return vec![
            at(Finding::error("spec::range-too-large", message))
                .help(format!("write a mask size of at most {}", prefix + MOST_NODE_BITS)),
        ];
    }
    let mut findings = Vec::new();
    let room = 1_u64 << (mask - prefix);
    let machines: u64 = world.groups().iter().map(|group| u64::from(group.value.spec.count)).sum();
    if machines > room && world.is_complete() {
        let message = format!(
            "the pod range {range} is too small: it has {room} parts of /{mask}, and there are {machines} machines"
        );
        findings.push(
            at(Finding::error("spec::range-too-small", message))
                .help("widen the range, or give each node a smaller part of it"),
        );
    }
    findings
}

fn services(cluster: &Draft<Cluster>, prefix: u8) -> Vec<Finding> {
    let (code, message) = if prefix < LARGEST_SERVICE_PREFIX {
        (
            "spec::range-too-large",
            format!(
                "the service range /{prefix} is too large: kube-apiserver takes at most a /{LARGEST_SERVICE_PREFIX}"
            ),
        )
    } else if prefix > SMALLEST_SERVICE_PREFIX {
        (
            "spec::range-too-small",
            format!(
                "the service range /{prefix} is too small: it must be at least a /{SMALLEST_SERVICE_PREFIX}, because it can't be changed later"
            ),
        )
    } else {
        return Vec::new();
    };
    vec![Finding::error(code, message).at(cluster, "spec.networking.serviceCIDRs[0]").help("such as `10.96.0.0/12`")]
}
