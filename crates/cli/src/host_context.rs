//! What the host around a cluster means for what its documents leave open: address ranges and resolvers.

use std::net::IpAddr;

use engine::SourceText;
use ipnet::{IpNet, Ipv4Net};
use model::Ground;
use provider_local::{HostCapacity, HostFacts, Resolvers, subnet};
use spec::{Effective, HostContext, MovedRange, Source};

/// What validation of a new cluster must know of this host.
pub(crate) fn of(facts: &HostFacts) -> HostContext {
    HostContext { routes: facts.routes.iter().map(|route| IpNet::V4(route.net.trunc())).collect(), is_new: true }
}

/// The documents of a new cluster with other ranges where the host uses the default ones, and what there is to say.
///
/// They are written down, so that they stay what they are when the host's routes change.
pub(crate) fn fitted(texts: Vec<SourceText>, host_context: &HostContext) -> (Vec<SourceText>, Vec<String>) {
    let mut sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
    let loaded = spec::load(&sources, &HostContext::default());
    // What is wrong with them is said by whoever reads them next.
    let Some(effective) = loaded.effective else { return (texts, Vec::new()) };
    let cluster = format!("Cluster/{}", effective.cluster.metadata.name);
    let mut said = Vec::new();
    for moved in spec::moved_ranges(&loaded.documents, &effective, host_context) {
        let assignment = format!("{}=[{}]", moved.field, moved.to);
        if let Ok(changed) = spec::set(&spec::parse(&sources), &cluster, &assignment) {
            sources = changed;
            said.push(moved_range(&moved));
        }
    }
    let texts = sources.into_iter().map(|source| SourceText { name: source.name, text: source.text });
    (texts.collect(), said)
}

fn moved_range(moved: &MovedRange) -> String {
    let MovedRange { field, what, from, to, route } = moved;
    format!("This host has a route to {route}: {what} get {to} instead of {from} ({field} in the cluster's documents).")
}

/// Ranges of pods and Services, which machines must keep clear of.
pub(crate) fn ranges(effective: &Effective) -> impl Iterator<Item = Ipv4Net> {
    let networking = &effective.cluster.spec.networking;
    networking.pod_cidrs.iter().chain(&networking.service_cidrs).filter_map(|net| match net {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
    })
}

/// What there is to say about the ground of a new cluster.
pub(crate) fn said(facts: &HostFacts, subnet: Ipv4Net, effective: &Effective) -> Vec<String> {
    let mut said = Vec::new();
    if effective.cluster.spec.local.subnet.is_none() && !subnet::is_usual(subnet) {
        said.push(format!("This host has routes to the usual addresses of machines: they get {subnet}."));
    }
    if facts.resolvers.is_empty() && effective.cluster.spec.networking.upstream_resolvers.is_empty() {
        said.push(
            "Warning: this host names no resolver that machines can reach (those of IPv6 they can't): names outside the \
             cluster will not be found. Name one in spec.networking.upstreamResolvers."
                .to_owned(),
        );
    }
    said
}

/// What there is to say about the size of this host.
pub(crate) fn size_remarks(effective: &Effective) -> Vec<String> {
    HostCapacity::of_this_host().map_or_else(Vec::new, |host| host.remarks(wanted_memory(effective)))
}

/// How large the host is.
pub(crate) fn capacity() -> Option<model::Capacity> {
    HostCapacity::of_this_host().map(|HostCapacity { memory, processors }| model::Capacity { memory, processors })
}

/// What machines may use of the host's memory together, bytes; those without a limit don't count.
fn wanted_memory(effective: &Effective) -> u64 {
    let of_group = |group: &spec::InstanceGroup| {
        let memory = group.spec.machine.memory.as_deref().and_then(spec::bytes).unwrap_or(0);
        memory.saturating_mul(group.spec.count.into())
    };
    effective.groups.iter().map(of_group).fold(0, u64::saturating_add)
}

/// The ground with the host's resolvers as they are now; with those that are known while it has none, as without a network.
pub(crate) fn with_resolvers(known: Ground, now: &Resolvers) -> Ground {
    if now.is_empty() {
        return known;
    }
    let resolvers = now.reachable.iter().copied().map(IpAddr::V4).collect();
    Ground { resolvers, loopback_resolver: now.loopback, ..known }
}

#[cfg(test)]
mod tests {
    use spec::NewCluster;

    use super::*;

    fn effective(texts: &[SourceText], host_context: &HostContext) -> spec::Loaded {
        let sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
        spec::load(&sources, host_context)
    }

    fn near(routes: &[&str]) -> HostContext {
        HostContext { routes: routes.iter().map(|net| net.parse().unwrap()).collect(), ..HostContext::default() }
    }

    fn texts() -> Vec<SourceText> {
        let text = spec::generate(&NewCluster::new("demo")).unwrap();
        vec![SourceText { name: "demo.yaml".to_owned(), text }]
    }

    #[test]
    fn a_vpn_that_takes_ten_moves_the_defaults_into_the_documents_and_says_so() {
        let host_context = near(&["10.0.0.0/8"]);
        let (fitted, said) = fitted(texts(), &host_context);
        let loaded = effective(&fitted, &host_context);
        assert_eq!(loaded.diagnostics, []);
        let effective = loaded.effective.unwrap();
        let ranges: Vec<String> = ranges(&effective).map(|net| net.to_string()).collect();
        assert_eq!(ranges, ["172.29.0.0/16", "172.30.0.0/16"]);
        assert!(said.len() == 2 && said[0].contains("172.29.0.0/16 instead of 10.244.0.0/16"), "{said:?}");
    }

    #[test]
    fn documents_that_fit_or_cannot_be_read_stay_as_written() {
        let vpn = near(&["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(fitted(texts(), &vpn), (texts(), Vec::new()));
        let broken = vec![SourceText { name: "x.yaml".into(), text: "kind: [".into() }];
        assert_eq!(fitted(broken.clone(), &vpn), (broken, Vec::new()));
    }

    #[test]
    fn a_host_without_a_usable_resolver_is_told_unless_the_documents_name_one() {
        let mut effective = effective(&texts(), &HostContext::default()).effective.unwrap();
        let usual = "10.88.3.0/24".parse().unwrap();
        let told = said(&HostFacts::default(), usual, &effective);
        assert!(told.len() == 1 && told[0].contains("upstreamResolvers"), "{told:?}");
        effective.cluster.spec.networking.upstream_resolvers = vec!["192.0.2.1".parse().unwrap()];
        assert_eq!(said(&HostFacts::default(), usual, &effective), [""; 0]);
        let moved = said(&HostFacts::default(), "172.28.0.0/24".parse().unwrap(), &effective);
        assert!(moved.len() == 1 && moved[0].contains("172.28.0.0/24"), "{moved:?}");
    }
}
