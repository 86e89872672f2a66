//! What is kept of a cluster on this host: found out and allocated once, and then stored with every revision.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use model::{Capacity, ProviderFacts};
use provider::{ErrorKind, ProviderError};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{HostIdentity, NAME, Resolvers, subnet};

/// Version of the format that is written.
const FORMAT: u32 = 1;

/// What is kept of a cluster on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalFacts {
    /// Name of the bridge, at most 15 characters.
    pub bridge: String,
    /// The machines' subnet.
    pub subnet: Ipv4Net,
    /// Addresses by machine. Kept when a machine goes, so that none ever gets another's.
    pub addresses: BTreeMap<String, Ipv4Addr>,
    /// Name servers of the host that its machines can reach too.
    pub resolvers: Vec<IpAddr>,
    /// The host's resolver on its loopback, where it has no other: machines ask it at their gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loopback_resolver: Option<Ipv4Addr>,
    /// The host that the machines are on. Release 0.1 kept none, and what cannot be read says as little.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "host")]
    pub host: Option<HostIdentity>,
    /// How large that host is. Release 0.1 kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

/// What releases before [`FORMAT`] 1 kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Format0 {
    local: Allocation,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Allocation {
    bridge: String,
    subnet: Ipv4Net,
    addresses: BTreeMap<String, Ipv4Addr>,
}

impl LocalFacts {
    /// An allocation without machines, on no host that is known.
    pub fn new(bridge: String, subnet: Ipv4Net) -> Self {
        Self {
            bridge,
            subnet,
            addresses: BTreeMap::new(),
            resolvers: Vec::new(),
            loopback_resolver: None,
            host: None,
            capacity: None,
        }
    }

    /// Reads what was kept, in any format.
    ///
    /// # Errors
    /// When it is none of this provider's, or a newer kubewright wrote it.
    pub fn read(facts: &ProviderFacts) -> Result<Self, ProviderError> {
        let unreadable = |why: String| {
            ProviderError::new(ErrorKind::Failed, format!("what is kept of the provider {NAME} cannot be read: {why}"))
        };
        if facts.name != NAME {
            return Err(unreadable(format!("it is of the provider {}", facts.name)));
        }
        let value = match facts.format {
            0 => upgraded(&facts.value),
            FORMAT => Ok(facts.value.clone()),
            newer => return Err(unreadable(format!("it has format {newer}")).hint("use a newer kubewright")),
        };
        value.and_then(serde_json::from_value).map_err(|error| unreadable(error.to_string()))
    }

    /// The subnet in what was kept, which must be nobody else's: also where the rest cannot be read, as a newer kubewright's.
    pub(crate) fn subnet_of(facts: &ProviderFacts) -> Option<Ipv4Net> {
        let subnet = ["/subnet", "/local/subnet"].into_iter().find_map(|place| facts.value.pointer(place)?.as_str());
        subnet.filter(|_| facts.name == NAME)?.parse().ok()
    }

    /// As it is kept.
    pub fn facts(&self) -> ProviderFacts {
        // A struct of texts, numbers and lists is always JSON.
        let value = serde_json::to_value(self).unwrap_or_default();
        ProviderFacts { name: NAME.to_owned(), format: FORMAT, value }
    }

    /// The host's address: the first of the subnet.
    pub fn gateway(&self) -> Ipv4Addr {
        subnet::gateway(self.subnet)
    }

    /// Name servers that machines can ask.
    pub fn reachable_resolvers(&self) -> Vec<IpAddr> {
        if self.resolvers.is_empty() && self.loopback_resolver.is_some() {
            return vec![self.gateway().into()];
        }
        self.resolvers.clone()
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

    /// The same with the host's resolvers as they are now; with those that are known while it has none, as without a network.
    #[must_use]
    pub(crate) fn with_resolvers(self, now: &Resolvers) -> Self {
        if now.is_empty() {
            return self;
        }
        let resolvers = now.reachable.iter().copied().map(IpAddr::V4).collect();
        Self { resolvers, loopback_resolver: now.loopback, ..self }
    }
}

fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HostIdentity>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// What was kept in format 0, in the present one.
fn upgraded(value: &Value) -> Result<Value, serde_json::Error> {
    let Format0 { local, mut rest } = serde_json::from_value(value.clone())?;
    // Whether the host's control groups were of version 1: nothing depends on it any more.
    rest.remove("cgroupV1");
    if let Value::Object(local) = serde_json::to_value(local)? {
        rest.extend(local);
    }
    Ok(Value::Object(rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> LocalFacts {
        LocalFacts::new("kw-demo".into(), "10.88.0.0/24".parse().unwrap())
    }

    #[test]
    fn machines_get_addresses_in_order_and_keep_them() {
        let first = facts().with_machines(["a", "b"]).unwrap();
        assert_eq!(first.addresses["a"], Ipv4Addr::new(10, 88, 0, 11));
        let second = first.clone().with_machines(["0", "b"]).unwrap();
        assert_eq!(second.addresses["b"], first.addresses["b"]);
        assert_eq!(second.addresses["0"], Ipv4Addr::new(10, 88, 0, 13));
    }

    #[test]
    fn free_addresses_between_others_are_taken_in_order() {
        let mut facts = facts();
        facts.addresses = [("x", 12), ("y", 14)].map(|(name, last)| (name.into(), [10, 88, 0, last].into())).into();
        let facts = facts.with_machines(["a", "x", "b", "c"]).unwrap();
        let last = |name: &str| facts.addresses[name].octets()[3];
        assert_eq!(["a", "x", "b", "c"].map(last), [11, 12, 13, 15]);
    }

    #[test]
    fn a_full_subnet_is_said() {
        let names: Vec<String> = (0..300).map(|index| index.to_string()).collect();
        assert_eq!(facts().with_machines(names.iter().map(String::as_str)), None);
    }

    #[test]
    fn a_resolver_on_loopback_is_asked_at_the_gateway() {
        let mut facts = facts();
        assert!(facts.reachable_resolvers().is_empty());
        facts.loopback_resolver = Some(Ipv4Addr::LOCALHOST);
        assert_eq!(facts.reachable_resolvers(), [IpAddr::V4(Ipv4Addr::new(10, 88, 0, 1))]);
    }

    #[test]
    fn a_host_that_cannot_be_read_is_none() {
        let mut kept = facts().facts();
        for host in [json!("a-name"), json!({"unknown": 1}), json!(null)] {
            kept.value["host"] = host;
            assert_eq!(LocalFacts::read(&kept).unwrap(), facts());
        }
    }

    #[test]
    fn a_subnet_is_known_whatever_else_was_kept() {
        let kept = |name: &str, format, value| ProviderFacts { name: name.to_owned(), format, value };
        let subnet = |facts| LocalFacts::subnet_of(&facts).map(|net| net.to_string());
        let net = || json!({"subnet": "10.88.7.0/24", "new": true});
        assert_eq!(subnet(kept(NAME, 9, net())).as_deref(), Some("10.88.7.0/24"));
        assert_eq!(subnet(kept(NAME, 0, json!({"local": net()}))).as_deref(), Some("10.88.7.0/24"));
        assert_eq!((subnet(kept("other", 1, net())), subnet(kept(NAME, 1, json!({})))), (None, None));
    }

    #[test]
    fn what_was_kept_in_any_format_is_read_and_what_is_not_ours_is_refused() {
        let whole = LocalFacts {
            capacity: Some(Capacity { memory: 1, processors: 2 }),
            loopback_resolver: Some(Ipv4Addr::LOCALHOST),
            ..facts().with_machines(["a"]).unwrap()
        };
        assert_eq!(LocalFacts::read(&whole.facts()).unwrap(), whole);
        let earlier = json!({
            "local": {"bridge": "kw-demo", "subnet": "10.88.0.0/24", "addresses": {"a": "10.88.0.11"}},
            "cgroupV1": true, "resolvers": [], "loopbackResolver": "127.0.0.1",
            "capacity": {"memory": 1, "processors": 2},
        });
        let kept = |name: &str, format, value| ProviderFacts { name: name.to_owned(), format, value };
        assert_eq!(LocalFacts::read(&kept(NAME, 0, earlier)).unwrap(), whole);
        for wrong in [kept("other", 1, json!({})), kept(NAME, 2, json!({})), kept(NAME, 0, json!({"zones": []}))] {
            assert!(LocalFacts::read(&wrong).is_err(), "{wrong:?}");
        }
    }
}
