//! Rule: the endpoint leads to the control planes, from every machine and from outside.

use std::net::{IpAddr, Ipv4Addr};

use super::{Finding, World};
use crate::Cluster;

const FIELD: &str = "spec.api.endpoint";
const HELP: &str = "write the name or address of a load balancer before the control planes, or leave the field out";
/// Names of the machine that asks, by RFC 6761 and the hosts files of distributions.
const OWN_NAMES: [&str; 7] = [
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
];

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let Some(endpoint) = cluster.value.spec.api.endpoint.as_deref() else { return Vec::new() };
    let why = match address(endpoint) {
        Some(address) => of_address(&cluster.value, address),
        None => of_name(&cluster.value, endpoint),
    };
    let finding = why.map(|why| Finding::error("spec::endpoint", format!("the endpoint {endpoint} {why}")));
    finding.map(|finding| finding.at(cluster, FIELD).help(HELP)).into_iter().collect()
}

/// A name or address with which every machine means itself.
pub(super) fn is_every_machine(host: &str) -> bool {
    match address(host) {
        Some(address) => address.is_loopback() || address.is_unspecified(),
        None => is_own_name(&host.to_ascii_lowercase()),
    }
}

fn is_own_name(name: &str) -> bool {
    OWN_NAMES.contains(&name) || name == "ip6-loopback" || name.ends_with(".localhost")
}

/// The address that a text is, or that resolvers take it for: they read `127.1` and hexadecimal numbers, too.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let number = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
    };
    let parts: Vec<u32> = bare.split('.').map(number).collect::<Option<_>>()?;
    let (last, before) = parts.split_last()?;
    let mut whole = 0_u32;
    for part in before {
        whole = whole.checked_mul(256)?.checked_add(u8::try_from(*part).ok()?.into())?;
    }
    let room = 4_u32.checked_sub(u32::try_from(before.len()).ok()?)?;
    let high = u64::from(whole) << (8 * room);
    let number = (u64::from(*last) < 1 << (8 * room)).then(|| high + u64::from(*last))?;
    Some(IpAddr::V4(Ipv4Addr::from(u32::try_from(number).ok()?)))
}

fn of_address(cluster: &Cluster, address: IpAddr) -> Option<String> {
    let provider = cluster.spec.provider;
    let this_network = matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 0);
    let networking = &cluster.spec.networking;
    let within = |ranges: &[ipnet::IpNet]| ranges.iter().any(|range| range.contains(&address));
    let why = if address.is_loopback() {
        "is every machine's own: each would ask itself"
    } else if address.is_unspecified() || this_network {
        "is not the address of a host: each machine would ask itself"
    } else if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        "is not the address of a host"
    } else if address.is_ipv6() && !provider.machines().ipv6 {
        let name = provider.name();
        return Some(format!("is an IPv6 address, and machines of the provider `{name}` have IPv4 addresses only"));
    } else if within(&networking.service_cidrs) {
        "is in the range of Services, which lead nowhere before the cluster runs"
    } else if within(&networking.pod_cidrs) {
        "is in the range of pods, of which none runs before the cluster does"
    } else {
        return None;
    };
    Some(why.to_owned())
}

fn of_name(cluster: &Cluster, name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    if is_own_name(&name) {
        return Some("is every machine's own name: each would ask itself".to_owned());
    }
    let domain = &cluster.spec.networking.dns_domain;
    let is_inside = name == *domain || name.ends_with(&format!(".{domain}"));
    is_inside.then(|| format!("is a name inside of the cluster ({domain}), which nobody resolves before it runs"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CONTROL_PLANE, about, cluster, loaded};

    fn endpoint(text: &str) -> Vec<String> {
        about(&format!("  api:\n    endpoint: {text}\n"))
    }

    #[test]
    fn an_endpoint_that_is_every_machine_itself_is_refused_in_any_spelling() {
        for text in [
            "localhost",
            "localhost.localdomain",
            "ip6-localhost",
            "api.localhost",
            "127.0.0.1",
            "127.8.9.10",
            "0.0.0.0",
            "0.1.2.3",
            "\"::\"",
            "\"::1\"",
            "\"::ffff:127.0.0.1\"",
            "\"0:0:0:0:0:0:0:1\"",
            "\"0x7f000001\"",
            "0x7f.1",
        ] {
            assert_eq!(endpoint(text), ["spec::endpoint cluster.yaml:8 spec.api.endpoint"], "{text}");
        }
        // These are refused for their form already.
        for text in ["\"127.1\"", "\"2130706433\"", "LOCALHOST", "localhost:6443", "\"[::1]:6443\"", "localhost."] {
            assert_eq!(endpoint(text), ["spec::invalid-value cluster.yaml:8 spec.api.endpoint"], "{text}");
        }
    }

    #[test]
    fn an_endpoint_that_no_machine_can_reach_is_refused() {
        for text in ["2001:db8::10", "224.0.0.1", "255.255.255.255", "10.96.0.1", "10.244.1.1", "api.cluster.local"] {
            assert_eq!(endpoint(text), ["spec::endpoint cluster.yaml:8 spec.api.endpoint"], "{text}");
        }
        let message = loaded(&cluster("  api: {endpoint: '2001:db8::10'}\n"), &[("cp", CONTROL_PLANE)]);
        assert!(message.diagnostics[0].message.contains("IPv4 addresses only"));
    }

    #[test]
    fn names_and_addresses_of_load_balancers_are_taken() {
        for text in ["api.example.org", "10.0.0.1", "192.168.1.10", "lb", "localhost.example.org", "0x.example"] {
            assert_eq!(endpoint(text), [""; 0], "{text}");
        }
    }
}
