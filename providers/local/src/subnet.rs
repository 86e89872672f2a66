//! Choosing and checking a cluster's subnet. Pure.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::facts::HostNetwork;
use crate::{Finding, HostFacts, names};

/// The range that automatic subnets come from: 256 networks of 254 addresses.
const RANGE: [u8; 2] = [10, 88];

/// The first free 10.88.N.0/24, given the host's routes and addresses and the subnets of other clusters.
pub fn choose(facts: &HostFacts, recorded: &[Ipv4Net]) -> Option<Ipv4Net> {
    (0..=255u8)
        .filter_map(|third| Ipv4Net::new(Ipv4Addr::new(RANGE[0], RANGE[1], third, 0), 24).ok())
        .find(|candidate| known(facts).all(|known| !overlap(*candidate, known.net)) && free_of(*candidate, recorded))
}

/// Why `subnet` cannot be used for `cluster`; empty where it can. What belongs to the cluster's own bridge is no obstacle.
pub fn check(cluster: &str, subnet: Ipv4Net, facts: &HostFacts, recorded: &[Ipv4Net]) -> Vec<Finding> {
    let object = format!("subnet {subnet}");
    let finding = |why: String, command: Option<String>| Finding { object: object.clone(), why, command };
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
    // 0.0.0.0/1 and 128.0.0.0/1 are how VPNs write a default route; everything overlaps with them.
    facts.routes.iter().chain(&facts.addresses).filter(|network| network.net.prefix_len() > 1)
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
    fn nothing_is_chosen_when_everything_is_routed_elsewhere() {
        assert_eq!(choose(&facts(&[("10.0.0.0/8", "wg0")]), &[]), None);
        assert_eq!(choose(&facts(&[("0.0.0.0/1", "wg0")]), &[]), Some(net("10.88.0.0/24")));
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
