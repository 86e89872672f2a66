//! Ground facts: what must be known before resolving, found out once and then stored with the revision.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use catalog::Edition;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The ground of one cluster. Allocations never change under a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ground {
    /// What local machines stand on.
    pub local: Allocation,
    /// Digests of the sources of this project's own programs, by asset name.
    pub programs: BTreeMap<String, String>,
    /// Whether the host's control groups are of version 1, which decides kubelet's settings in local machines.
    pub cgroup_v1: bool,
    /// The way of making a cluster that holds for it: that of its creation, until its owner asks for another one.
    #[serde(default)]
    pub edition: Edition,
    /// Name servers of the host that its machines can reach too, for names outside the cluster.
    pub resolvers: Vec<IpAddr>,
    /// The host's resolver on its loopback, where it has no other: machines ask it at their gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loopback_resolver: Option<Ipv4Addr>,
    /// The host that local machines are on, in its provider's words; opaque to everybody else. Release 0.1 kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Value>,
    /// How large that host is, which every kubelet on it takes for its own machine's size. Release 0.1 kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Texts of the user's own templates by their SHA-256, so that nothing depends on a file that may change or go.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
}

/// The size of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capacity {
    /// Memory in bytes.
    pub memory: u64,
    /// Processors.
    pub processors: u32,
}

/// The network of local machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Allocation {
    /// Name of the bridge, at most 15 characters.
    pub bridge: String,
    /// The machines' subnet.
    pub subnet: Ipv4Net,
    /// Addresses by machine. Kept when a machine goes, so that none ever gets another's.
    pub addresses: BTreeMap<String, Ipv4Addr>,
}

impl Allocation {
    /// An allocation without machines.
    pub fn new(bridge: String, subnet: Ipv4Net) -> Self {
        Self { bridge, subnet, addresses: BTreeMap::new() }
    }

    /// The host's address: the first of the subnet.
    pub fn gateway(&self) -> Ipv4Addr {
        self.subnet.hosts().next().unwrap_or(self.subnet.addr())
    }

    /// The same with an address for each of `machines`: those that have one keep it, others get the lowest free one
    /// from the eleventh on. `None` when the subnet is full.
    #[must_use]
    pub fn with_machines<'a>(mut self, machines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let taken: BTreeSet<Ipv4Addr> = self.addresses.values().copied().collect();
        // Goes on where it was for the machine before: what lies behind is taken by now.
        let mut free = self.subnet.hosts().skip(10).filter(|address| !taken.contains(address));
        for machine in machines {
            if !self.addresses.contains_key(machine) {
                self.addresses.insert(machine.to_owned(), free.next()?);
            }
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allocation() -> Allocation {
        Allocation::new("kw-demo".into(), "10.88.0.0/24".parse().unwrap())
    }

    #[test]
    fn machines_get_addresses_in_order_and_keep_them() {
        let first = allocation().with_machines(["a", "b"]).unwrap();
        assert_eq!(first.addresses["a"], Ipv4Addr::new(10, 88, 0, 11));
        let second = first.clone().with_machines(["0", "b"]).unwrap();
        assert_eq!(second.addresses["b"], first.addresses["b"]);
        assert_eq!(second.addresses["0"], Ipv4Addr::new(10, 88, 0, 13));
    }

    #[test]
    fn free_addresses_between_others_are_taken_in_order() {
        let mut allocation = allocation();
        allocation.addresses =
            [("x", 12), ("y", 14)].map(|(name, last)| (name.into(), [10, 88, 0, last].into())).into();
        let allocation = allocation.with_machines(["a", "x", "b", "c"]).unwrap();
        let last = |name: &str| allocation.addresses[name].octets()[3];
        assert_eq!(["a", "x", "b", "c"].map(last), [11, 12, 13, 15]);
    }

    #[test]
    fn a_full_subnet_is_said() {
        let names: Vec<String> = (0..300).map(|index| index.to_string()).collect();
        assert_eq!(allocation().with_machines(names.iter().map(String::as_str)), None);
    }
}
