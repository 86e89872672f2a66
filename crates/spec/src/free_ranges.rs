//! Address ranges for a new cluster on a host that has routes to the usual ones. Pure.

use ipnet::IpNet;

use crate::documents::Documents;
use crate::effective::Effective;
use crate::load::HostContext;

/// Where pods go instead, best first. Machines get others (172.28.0.0/16 and so on).
const PODS: [&str; 5] = ["172.29.0.0/16", "172.26.0.0/16", "100.96.0.0/16", "100.112.0.0/16", "192.168.0.0/17"];
/// Where Services go instead.
const SERVICES: [&str; 5] = ["172.30.0.0/16", "172.27.0.0/16", "100.97.0.0/16", "100.113.0.0/16", "192.168.192.0/18"];

/// A default range that gives way to a route of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRange {
    /// The field that was left to its default.
    pub field: &'static str,
    /// What the range is for.
    pub what: &'static str,
    /// The default.
    pub from: IpNet,
    /// What is free.
    pub to: IpNet,
    /// The host's route.
    pub route: IpNet,
}

/// The ranges that the documents leave to defaults which the host uses, and where they can go. One that can go nowhere
/// stays.
pub fn moved_ranges(documents: &Documents, effective: &Effective, surroundings: &HostContext) -> Vec<MovedRange> {
    let networking = &effective.cluster.spec.networking;
    let (pods, services) = (&networking.pod_cidrs, &networking.service_cidrs);
    let mut taken: Vec<IpNet> = pods.iter().chain(services).copied().collect();
    taken.extend(effective.cluster.spec.machine_ranges().iter().map(|range| range.net));
    let mut moved = Vec::new();
    for (field, what, nets, candidates) in [
        ("spec.networking.podCIDRs", "pods", pods, PODS),
        ("spec.networking.serviceCIDRs", "Services", services, SERVICES),
    ] {
        let written = documents.documents.iter().any(|document| document.has(field));
        let Some(from) = nets.first().copied().filter(|_| !written) else { continue };
        let Some(route) = surroundings.route_over(from) else { continue };
        let is_free =
            |net: &IpNet| surroundings.route_over(*net).is_none() && taken.iter().all(|taken| !overlap(*taken, *net));
        if let Some(to) = candidates.iter().filter_map(|net| net.parse().ok()).find(is_free) {
            taken.push(to);
            moved.push(MovedRange { field, what, from, to, route });
        }
    }
    moved
}

pub(crate) fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewCluster, Source, generate, load};

    fn moved(new: &NewCluster, routes: &[&str]) -> Vec<String> {
        let loaded = load(&[Source::new("demo.yaml", generate(new).unwrap())], &HostContext::default());
        let routes = routes.iter().map(|route| route.parse().unwrap()).collect();
        let surroundings = HostContext { routes, ..HostContext::default() };
        let moved = moved_ranges(&loaded.documents, &loaded.effective.unwrap(), &surroundings);
        moved.iter().map(|moved| format!("{} {}", moved.what, moved.to)).collect()
    }

    #[test]
    fn defaults_give_way_to_a_route_of_all_private_addresses() {
        let new = NewCluster::new("demo");
        assert_eq!(moved(&new, &["10.0.0.0/8"]), ["pods 172.29.0.0/16", "Services 172.30.0.0/16"]);
        assert_eq!(moved(&new, &["10.0.0.0/8", "172.16.0.0/12"]), ["pods 100.96.0.0/16", "Services 100.97.0.0/16"]);
        let most = ["10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10"];
        assert_eq!(moved(&new, &most), ["pods 192.168.0.0/17", "Services 192.168.192.0/18"]);
        let all = ["10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10", "192.168.0.0/16"];
        assert_eq!(moved(&new, &all), [""; 0], "what can go nowhere stays, and is warned of");
    }

    #[test]
    fn only_what_overlaps_a_route_moves() {
        let new = NewCluster::new("demo");
        assert_eq!(moved(&new, &["10.244.7.0/24"]), ["pods 172.29.0.0/16"]);
        assert_eq!(moved(&new, &["192.168.1.0/24", "10.5.0.0/16"]), [""; 0]);
        assert_eq!(moved(&new, &["0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0"]), [""; 0], "a default route in two parts");
    }

    #[test]
    fn what_the_user_wrote_stays_and_is_kept_clear_of() {
        let written = |pods: &str| NewCluster { pod_cidrs: vec![pods.parse().unwrap()], ..NewCluster::new("demo") };
        assert_eq!(moved(&written("10.20.0.0/16"), &["10.0.0.0/8"]), ["Services 172.30.0.0/16"]);
        assert_eq!(moved(&written("172.30.0.0/16"), &["10.0.0.0/8"]), ["Services 172.27.0.0/16"]);
    }
}
