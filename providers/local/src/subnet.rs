//! Choosing and checking a cluster's subnet. Pure.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use provider::Finding;

use crate::facts::HostNetwork;
use crate::{HostFacts, names};

/// The ranges that automatic subnets come from, best first: networks of 254 addresses, from one with this third number
/// on. The later ones are for hosts where a VPN takes all of 10.0.0.0/8, and so on.
const RANGES: [(u8, u8, u8); 4] = [(10, 88, 0), (172, 28, 0), (100, 88, 0), (192, 168, 128)];

/// What is said when [`choose`] finds nothing.
pub const NONE_FREE: &str =
    "no subnet of 10.88.0.0/16, 172.28.0.0/16, 100.88.0.0/16 or 192.168.128.0/17 is free on this host";

/// The first free network of the ranges, given the host's routes and addresses and the subnets of other clusters.
pub fn choose(facts: &HostFacts, recorded: &[Ipv4Net]) -> Option<Ipv4Net> {
    RANGES
        .iter()
        .flat_map(|(first, second, from)| (*from..=255).map(|third| Ipv4Addr::new(*first, *second, third, 0)))
        .filter_map(|address| Ipv4Net::new(address, 24).ok())
        .find(|candidate| known(facts).all(|known| !overlap(*candidate, known.net)) && free_of(*candidate, recorded))
}

/// Whether a subnet is where automatic ones are unless the host has routes there.
pub fn is_usual(subnet: Ipv4Net) -> bool {
    let [first, second, ..] = subnet.addr().octets();
    RANGES.first().is_some_and(|range| (range.0, range.1) == (first, second))
}

/// Why `subnet` cannot be used for `cluster`; empty where it can. What belongs to the cluster's own bridge is no obstacle.
pub fn check(cluster: &str, subnet: Ipv4Net, facts: &HostFacts, recorded: &[Ipv4Net]) -> Vec<Finding> {
    let object = format!("subnet {subnet}");
    let finding = |why: String, command: Option<String>| Finding::new(&object, why, command);
    let mut findings = Vec::new();
    if subnet.addr() != subnet.network() {
        findings.push(finding(format!("the network's own address is {}", subnet.trunc()), None));
    }
    if !(16..=28).contains(&subnet.prefix_len()) {
        findings.push(finding("its prefix must be between /16 and /28".into(), None));
    }
    let own = names::bridge_name(cluster);
    for taken in known(facts).filter(|taken| taken.link != own && overlap(subnet, taken.net)) {
        let by = if taken.link.is_empty() { "a route" } else { taken.link.as_str() };
        findings.push(finding(
            format!("it overlaps {} of {by}", taken.net),
            Some(format!("ip route show to match {}", subnet.addr())),
        ));
    }
    for other in recorded.iter().filter(|other| overlap(subnet, **other)) {
        findings
            .push(finding(format!("it overlaps {other} of another cluster"), Some("kubewright get clusters".into())));
    }
    findings.dedup();
    findings
}

/// The host's address in a subnet: the first one.
pub fn gateway(subnet: Ipv4Net) -> Ipv4Addr {
    subnet.hosts().next().unwrap_or(subnet.addr())
}

fn known(facts: &HostFacts) -> impl Iterator<Item = &HostNetwork> {
    facts.routes.iter().chain(&facts.addresses)
}

fn free_of(candidate: Ipv4Net, recorded: &[Ipv4Net]) -> bool {
    recorded.iter().all(|other| !overlap(candidate, *other))
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(routes: &[(&str, &str)]) -> HostFacts {
        let routes = routes.iter().map(|(net, link)| HostNetwork { net: net.parse().unwrap(), link: (*link).into() });
        HostFacts { routes: routes.collect(), ..HostFacts::default() }
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_free_network_is_chosen() {
        assert_eq!(choose(&facts(&[]), &[]), Some(net("10.88.0.0/24")));
        assert_eq!(choose(&facts(&[("10.88.0.0/23", "tun0")]), &[net("10.88.2.0/24")]), Some(net("10.88.3.0/24")));
    }

    #[test]
    fn an_address_of_the_host_counts_like_a_route() {
        let addresses = vec![HostNetwork { net: net("10.88.0.7/24"), link: "eth0".into() }];
        let facts = HostFacts { addresses, ..HostFacts::default() };
        assert_eq!(choose(&facts, &[]), Some(net("10.88.1.0/24")));
    }

    #[test]
    fn subnets_move_elsewhere_when_the_usual_range_is_routed_elsewhere() {
        let routes =
            [("10.0.0.0/8", "wg0"), ("172.16.0.0/12", "wg0"), ("100.64.0.0/10", "wg0"), ("192.168.0.0/16", "wg0")];
        let chosen = [1, 2, 3].map(|count| choose(&facts(&routes[..count]), &[]));
        assert_eq!(chosen, ["172.28.0.0/24", "100.88.0.0/24", "192.168.128.0/24"].map(|text| Some(net(text))));
        assert_eq!(choose(&facts(&routes), &[]), None);
        assert!(is_usual(net("10.88.9.0/24")) && !is_usual(net("172.28.0.0/24")));
    }

    #[test]
    fn a_chosen_subnet_is_refused_with_what_it_overlaps() {
        let facts = facts(&[("10.5.0.0/16", "eth0"), ("10.88.0.0/24", "kw-dev")]);
        let findings = check("dev", net("10.5.3.0/24"), &facts, &[net("10.5.3.128/25")]);
        let whys: Vec<&str> = findings.iter().map(|finding| finding.why.as_str()).collect();
        assert_eq!(whys, ["it overlaps 10.5.0.0/16 of eth0", "it overlaps 10.5.3.128/25 of another cluster"]);
        assert!(check("dev", net("10.88.0.0/24"), &facts, &[]).is_empty(), "its own bridge is no obstacle");
        assert!(!check("other", net("10.88.0.0/24"), &facts, &[]).is_empty());
    }

    #[test]
    fn host_bits_and_odd_sizes_are_refused() {
        assert_eq!(
            check("dev", net("10.88.0.1/24"), &HostFacts::default(), &[])[0].why,
            "the network's own address is 10.88.0.0/24"
        );
        assert!(!check("dev", net("10.0.0.0/8"), &HostFacts::default(), &[]).is_empty());
    }

    #[test]
    fn the_gateway_is_the_first_address() {
        assert_eq!(gateway(net("10.88.4.0/24")), Ipv4Addr::new(10, 88, 4, 1));
    }
}
