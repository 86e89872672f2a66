//! What there is to say about this host before a cluster is made on it.

use ipnet::Ipv4Net;
use spec::{Effective, InstanceGroup};

use crate::{HostCapacity, HostFacts, subnet};

/// Everything worth a word.
pub(crate) fn remarks(facts: &HostFacts, subnet: Ipv4Net, documents: &Effective) -> Vec<String> {
    let size = HostCapacity::of_this_host().map_or_else(Vec::new, |host| host.remarks(wanted_memory(documents)));
    network(facts, subnet, documents).into_iter().chain(size).collect()
}

fn network(facts: &HostFacts, subnet: Ipv4Net, documents: &Effective) -> Vec<String> {
    let spec = &documents.cluster.spec;
    let mut remarks = Vec::new();
    if spec.local.subnet.is_none() && !subnet::is_usual(subnet) {
        remarks.push(format!("This host has routes to the usual addresses of machines: they get {subnet}."));
    }
    if facts.resolvers.is_empty() && spec.networking.upstream_resolvers.is_empty() {
        remarks.push(
            "Warning: this host names no resolver that machines can reach (those of IPv6 they can't): names outside the \
             cluster will not be found. Name one in spec.networking.upstreamResolvers."
                .to_owned(),
        );
    }
    remarks
}

/// What machines may use of the host's memory together, bytes; those without a limit don't count.
fn wanted_memory(documents: &Effective) -> u64 {
    let of_group = |group: &InstanceGroup| {
        let memory = group.spec.machine.memory.as_deref().and_then(spec::bytes).unwrap_or(0);
        memory.saturating_mul(group.spec.count.into())
    };
    documents.groups.iter().map(of_group).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use spec::{HostContext, NewCluster, Source};

    use super::*;

    #[test]
    fn a_host_without_a_usable_resolver_is_told_unless_the_documents_name_one() {
        let text = spec::generate(&NewCluster::new("demo")).unwrap();
        let loaded = spec::load(&[Source::new("demo.yaml", &text)], &HostContext::default());
        let mut documents = loaded.effective.unwrap();
        let usual = "10.88.3.0/24".parse().unwrap();
        let told = network(&HostFacts::default(), usual, &documents);
        assert!(told.len() == 1 && told[0].contains("upstreamResolvers"), "{told:?}");
        documents.cluster.spec.networking.upstream_resolvers = vec!["192.0.2.1".parse().unwrap()];
        assert_eq!(network(&HostFacts::default(), usual, &documents), [""; 0]);
        let moved = network(&HostFacts::default(), "172.28.0.0/24".parse().unwrap(), &documents);
        assert!(moved.len() == 1 && moved[0].contains("172.28.0.0/24"), "{moved:?}");
    }
}
