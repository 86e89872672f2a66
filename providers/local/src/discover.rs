//! Finds out what a cluster needs that is about to be made here, and holds a subnet for it.

use ipnet::{IpNet, Ipv4Net};
use model::ProviderFacts;
use provider::{DiscoverError, Discovered, ErrorKind, NewCluster, ProviderError};
use spec::Effective;

use crate::hold::{self, HeldSubnet};
use crate::kept::LocalFacts;
use crate::{HostCapacity, HostFacts, HostIdentity, LocalProvider, names, remarks, subnet};

/// A subnet that is free, and the host on which it is.
struct Chosen {
    facts: HostFacts,
    subnet: Ipv4Net,
}

impl LocalProvider {
    /// What a cluster needs that is about to be made. Its subnet is nobody else's as long as it is held.
    pub(crate) async fn found(&self, cluster: &NewCluster<'_>) -> Result<Discovered, DiscoverError> {
        let (Chosen { facts, subnet }, held) = self.held(cluster).await?;
        let kept = LocalFacts {
            host: Some(HostIdentity::here(self.root())),
            capacity: HostCapacity::of_this_host().map(HostCapacity::capacity),
            ..LocalFacts::new(names::bridge_name(cluster.name), subnet).with_resolvers(&facts.resolvers)
        };
        Ok(Discovered {
            facts: with_machines(kept, cluster.documents)?.facts(),
            remarks: remarks::remarks(&facts, subnet, cluster.documents),
            reservation: Box::new(held),
        })
    }

    async fn held(&self, cluster: &NewCluster<'_>) -> Result<(Chosen, HeldSubnet), DiscoverError> {
        let mut busy = Vec::new();
        loop {
            let Chosen { subnet, .. } = self.choose(cluster, &busy).await?;
            let held = hold::hold(subnet)
                .map_err(|error| ProviderError::new(ErrorKind::Failed, format!("cannot hold a subnet: {error}")))?;
            let Some(held) = held else {
                busy.push(subnet);
                continue;
            };
            // Who held it before may have taken it for good since the host was looked at.
            let again = self.choose(cluster, &busy).await?;
            if again.subnet == subnet {
                return Ok((again, held));
            }
        }
    }

    /// Looks at the host, and finds a subnet on it that is neither taken nor `busy`.
    async fn choose(&self, cluster: &NewCluster<'_>, busy: &[Ipv4Net]) -> Result<Chosen, DiscoverError> {
        let facts = self.facts().await.map_err(ProviderError::from)?;
        let mut taken = subnets(&cluster.others.facts().await?);
        taken.extend(busy);
        let subnet = if let Some(wanted) = cluster.documents.cluster.spec.local.subnet {
            checked(cluster.name, wanted, &facts, &taken)?
        } else {
            taken.extend(ranges(cluster.documents));
            subnet::choose(&facts, &taken).ok_or_else(|| {
                ProviderError::new(ErrorKind::Failed, subnet::NONE_FREE)
                    .hint("name one in spec.local.subnet of the Cluster document")
            })?
        };
        Ok(Chosen { facts, subnet })
    }
}

/// Subnets of other clusters' machines, on whatever host they are, and whatever else is kept of them.
fn subnets(others: &[ProviderFacts]) -> Vec<Ipv4Net> {
    others.iter().filter_map(LocalFacts::subnet_of).collect()
}

/// Ranges of pods and Services, which machines must keep clear of.
fn ranges(documents: &Effective) -> impl Iterator<Item = Ipv4Net> {
    let networking = &documents.cluster.spec.networking;
    networking.pod_cidrs.iter().chain(&networking.service_cidrs).filter_map(|net| match net {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
    })
}

fn checked(name: &str, wanted: Ipv4Net, facts: &HostFacts, taken: &[Ipv4Net]) -> Result<Ipv4Net, ProviderError> {
    let findings = subnet::check(name, wanted, facts, taken);
    let Some(finding) = findings.first() else { return Ok(wanted) };
    let message = format!("spec.local.subnet: {}: {}", finding.object, finding.why);
    let error = ProviderError::new(ErrorKind::InvalidSpec, message);
    Err(match &finding.command {
        Some(command) => error.hint(format!("see: {command}")),
        None => error,
    })
}

/// The same with an address for every machine of the documents.
pub(crate) fn with_machines(facts: LocalFacts, documents: &Effective) -> Result<LocalFacts, ProviderError> {
    let names: Vec<String> = documents.groups.iter().flat_map(model::resolved::machine_names).collect();
    let subnet = facts.subnet;
    facts.with_machines(names.iter().map(String::as_str)).ok_or_else(|| {
        let message = format!("subnet {subnet} has no room for {} machines", names.len());
        ProviderError::new(ErrorKind::InvalidSpec, message)
            .hint("make the groups smaller, or create the cluster anew with a larger spec.local.subnet")
    })
}
