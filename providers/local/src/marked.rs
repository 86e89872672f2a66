//! Everything on this host that carries kubewright's marker, whether or not any state knows it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cgroup::Layout;
use crate::owner::Owner;
use crate::{LocalError, machine, names, network};

/// What a marked thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MarkedKind {
    /// A running machine; its name is its directory.
    Machine,
    /// A bridge.
    Bridge,
    /// An nftables table.
    Table,
    /// A rule in somebody else's chain.
    Rule,
    /// A cgroup directory, or the scope that has it.
    Cgroup,
}

/// One thing on this host that carries kubewright's marker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marked {
    /// What it is.
    pub kind: MarkedKind,
    /// Its name on the host.
    pub name: String,
    /// The cluster it belongs to; empty where that cannot be told.
    pub cluster: String,
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            MarkedKind::Machine => "machine",
            MarkedKind::Bridge => "bridge",
            MarkedKind::Table => "nftables table",
            MarkedKind::Rule => "firewall rule",
            MarkedKind::Cgroup => "cgroup",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// Everything marked.
pub(crate) fn all() -> Result<Vec<Marked>, LocalError> {
    let mut found = BTreeSet::new();
    let mut add = |kind, name: String, cluster: &str| found.insert(Marked { kind, name, cluster: cluster.to_owned() });
    for supervisor in machine::supervisors() {
        let directory = supervisor.rsplit_once(" (").map_or(supervisor.as_str(), |(directory, _)| directory);
        let cluster = names::cluster_of(directory.rsplit('/').nth(1).unwrap_or_default()).to_owned();
        add(MarkedKind::Machine, supervisor, &cluster);
    }
    for link in network::links()?.into_iter().filter(network::is_ours) {
        let owner = link.alias.as_deref().and_then(Owner::read);
        add(MarkedKind::Bridge, link.name.clone(), owner.as_ref().map_or("", |owner| &owner.cluster));
    }
    for table in network::tables()? {
        let rest = table.strip_prefix(names::TABLE).unwrap_or_default();
        let cluster = names::cluster_of(rest).to_owned();
        add(MarkedKind::Table, table, &cluster);
    }
    for rule in network::marked_rules()? {
        let owner = rule.split(['"', ' ']).find_map(Owner::read);
        add(MarkedKind::Rule, rule, owner.as_ref().map_or("", |owner| &owner.cluster));
    }
    for (path, cluster) in Layout::of_host()?.marked() {
        add(MarkedKind::Cgroup, path.display().to_string(), &cluster);
    }
    Ok(found.into_iter().collect())
}

/// Those that belong to none of the known clusters.
pub(crate) fn unknown(marked: Vec<Marked>, clusters: &BTreeSet<String>) -> Vec<Marked> {
    marked.into_iter().filter(|marked| !clusters.contains(&marked.cluster)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_known_cluster_owns_is_no_leftover() {
        let marked =
            |name: &str, cluster: &str| Marked { kind: MarkedKind::Bridge, name: name.into(), cluster: cluster.into() };
        let found = unknown(vec![marked("kw-a", "a"), marked("kw-b", "b")], &BTreeSet::from(["a".to_owned()]));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["bridge kw-b"]);
    }
}
