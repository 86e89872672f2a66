//! Where a cluster's machines live, and whether that is here.

use ipnet::Ipv4Net;
use provider::{ErrorKind, Finding, KnownCluster, ProviderError};

use crate::discover::with_machines;
use crate::kept::LocalFacts;
use crate::owner::{self, HostIdentity, Owner};
use crate::{HostCapacity, LocalProvider, MACHINE, NETWORK, Resolvers, ids, names};

impl LocalProvider {
    /// What is kept of a cluster, as it is now.
    pub(crate) fn refreshed(
        &self,
        cluster: &KnownCluster<'_>,
        documents: &spec::Effective,
    ) -> Result<LocalFacts, ProviderError> {
        let kept = LocalFacts::read(cluster.facts)?;
        allocated(documents.cluster.spec.local.subnet, kept.subnet)?;
        let here = HostIdentity::here(self.root());
        let host = self.host(cluster, kept.host.as_ref(), &here);
        let mut facts = LocalFacts { host, ..kept };
        if is_here(facts.host.as_ref(), &here) {
            facts = facts.with_resolvers(&Resolvers::of_this_host());
            // What a cluster was made without it does without, until its owner asks for another edition.
            let is_raised = documents.cluster.spec.edition.is_some_and(|wanted| wanted > cluster.edition);
            if facts.capacity.is_none() && is_raised {
                facts.capacity = HostCapacity::of_this_host().map(HostCapacity::capacity);
            }
        }
        with_machines(facts, documents)
    }

    /// The host of a cluster: the one that was kept, or this one where nothing speaks against it.
    fn host(
        &self,
        cluster: &KnownCluster<'_>,
        kept: Option<&HostIdentity>,
        here: &HostIdentity,
    ) -> Option<HostIdentity> {
        let has_moved_here = !is_made(cluster)
            || match kept {
                // A host may have a better id by now than the one it was known by.
                Some(home) if home.is_same_place(here) => home.machine_id != here.machine_id,
                Some(home) => home.elsewhere(here, &owner(cluster)).is_none(),
                // Release 0.1 kept none: machines that were made, but not here, are somewhere else.
                None => owner::has_machines(self.root(), &owner(cluster)),
            };
        if has_moved_here { Some(here.clone()) } else { kept.cloned() }
    }

    /// Refuses to work on machines that cannot be seen from here: they live elsewhere, or their network's name is taken by
    /// another state's cluster.
    pub(crate) async fn check_home(&self, cluster: &KnownCluster<'_>) -> Result<(), ProviderError> {
        let (name, kept) = (cluster.name, LocalFacts::read(cluster.facts)?);
        let here = HostIdentity::here(self.root());
        let home = kept.host.filter(|_| is_made(cluster));
        if let Some(why) = home.and_then(|home| home.elsewhere(&here, &owner(cluster))) {
            let message = format!("cluster {name} cannot be worked on from here: {why}");
            return Err(ProviderError::new(ErrorKind::Refused, message)
                .hint("run the command there, as the same user and with the same XDG_STATE_HOME"));
        }
        let recorded = cluster.recorded.contains_key(&ids::network(name));
        let found = self.foreign(name, cluster.lineage, &kept.bridge, recorded).await?;
        found.map_or(Ok(()), |finding| Err(refused(name, &finding)))
    }

    /// Refuses a name that another state's cluster has on this host.
    pub(crate) async fn check_unused(&self, name: &str, lineage: &str) -> Result<(), ProviderError> {
        let found = self.foreign(name, lineage, &names::bridge_name(name), false).await?;
        let advice = || format!("take another name than {name}, or work on that one where it is kept");
        found.map_or(Ok(()), |finding| Err(refused(name, &finding).hint(advice())))
    }
}

fn refused(name: &str, finding: &Finding) -> ProviderError {
    let message = format!("cluster {name} cannot live on this host: {}", finding.why);
    let error = ProviderError::new(ErrorKind::Refused, message);
    match &finding.command {
        Some(command) => error.hint(format!("see: {command}")),
        None => error,
    }
}

/// Whether a cluster's host is this one. What was kept of it knows fewer of its ids than it has.
fn is_here(host: Option<&HostIdentity>, here: &HostIdentity) -> bool {
    host.is_some_and(|host| host.is_same_place(here))
}

fn owner(cluster: &KnownCluster<'_>) -> Owner {
    Owner::new(cluster.lineage, cluster.name)
}

/// Whether something of a cluster was made on a host. Documents alone live nowhere: whoever makes them real gives them a home.
fn is_made(cluster: &KnownCluster<'_>) -> bool {
    cluster.recorded.keys().any(|id| [MACHINE, NETWORK].contains(&id.kind()))
}

/// Refuses another subnet than the one that was allocated: machines and certificates may have addresses in it.
fn allocated(wanted: Option<Ipv4Net>, subnet: Ipv4Net) -> Result<(), ProviderError> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != subnet) else { return Ok(()) };
    let message = format!("spec.local.subnet: the cluster was given {subnet}, which cannot become {wanted}");
    Err(ProviderError::new(ErrorKind::InvalidSpec, message)
        .hint(format!("set it back to {subnet}, or delete the cluster and create it anew")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_of_this_host_is_known_to_be_of_this_host() {
        let directory = tempfile::tempdir().unwrap();
        let here = HostIdentity { other_ids: vec!["firmware".into()], ..HostIdentity::here(directory.path()) };
        let kept: HostIdentity = serde_json::from_value(serde_json::to_value(&here).unwrap()).unwrap();
        assert!(is_here(Some(&kept), &here) && !is_here(None, &here));
        assert!(!is_here(Some(&HostIdentity { machine_id: "another".into(), ..kept }), &here));
    }

    #[test]
    fn a_subnet_that_was_given_is_kept() {
        let given = "10.88.0.0/24".parse().unwrap();
        assert!(allocated(None, given).is_ok() && allocated(Some(given), given).is_ok());
        let refused = allocated("10.99.0.0/24".parse().ok(), given).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidSpec);
    }
}
