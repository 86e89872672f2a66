//! What must be known about this host before a local cluster is resolved or checked.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::LocalError;
use crate::command;
use crate::resolvers::Resolvers;

/// Facts about this host; gathered by [`crate::LocalProvider::facts`], stored with the revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostFacts {
    /// Its links, by name.
    pub links: Vec<HostLink>,
    /// Addresses of all links with their prefix.
    pub addresses: Vec<HostNetwork>,
    /// Destinations of all routes; the default route is left out, in parts too.
    pub routes: Vec<HostNetwork>,
    /// Whom it asks for names.
    pub resolvers: Resolvers,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostLink {
    /// Its name.
    pub name: String,
    /// Its alias: the owner marker where it is ours.
    pub alias: Option<String>,
    /// Its kind where it has one, such as `bridge`.
    pub kind: Option<String>,
}

/// A network that the host knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostNetwork {
    /// The network; for an address with the host's bits.
    pub net: Ipv4Net,
    /// The link it belongs to; empty for routes without one.
    pub link: String,
}

impl HostFacts {
    /// Asks the kernel. Changes nothing.
    pub(crate) fn gather() -> Result<Self, LocalError> {
        let addresses = command::json("ip", &["-j", "-d", "address", "show"])?;
        let links = command::json("ip", &["-j", "-d", "link", "show"])?;
        let routes = command::json("ip", &["-j", "-4", "route", "show", "table", "all"])?;
        Ok(Self {
            links: read_links(&links),
            addresses: read_addresses(&addresses),
            routes: read_routes(&routes),
            resolvers: Resolvers::of_this_host(),
        })
    }

    /// The link called `name`.
    pub fn link(&self, name: &str) -> Option<&HostLink> {
        self.links.iter().find(|link| link.name == name)
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// Links from `ip -j -d link show`.
pub(crate) fn read_links(json: &Value) -> Vec<HostLink> {
    let mut links: Vec<HostLink> = items(json)
        .filter_map(|link| {
            let kind = link.get("linkinfo").and_then(|info| text(info, "info_kind"));
            Some(HostLink { name: text(link, "ifname")?, alias: text(link, "ifalias"), kind })
        })
        .collect();
    links.sort();
    links
}

/// IPv4 addresses from `ip -j address show`.
pub(crate) fn read_addresses(json: &Value) -> Vec<HostNetwork> {
    let mut found = Vec::new();
    for link in items(json) {
        let name = text(link, "ifname").unwrap_or_default();
        for info in link.get("addr_info").into_iter().flat_map(items) {
            let address = text(info, "local").and_then(|local| local.parse::<Ipv4Addr>().ok());
            let prefix = info.get("prefixlen").and_then(Value::as_u64).and_then(|length| u8::try_from(length).ok());
            if let (Some(address), Some(prefix)) = (address, prefix)
                && let Ok(net) = Ipv4Net::new(address, prefix)
            {
                found.push(HostNetwork { net, link: name.clone() });
            }
        }
    }
    found.sort();
    found
}

/// The prefix of the widest private network. A route to more is the default one, or a part of it as VPNs write it
/// (0.0.0.0/1 and 128.0.0.0/1).
const WIDEST_NETWORK: u8 = 8;

/// Destinations from `ip -j -4 route show table all`; local and broadcast entries repeat the addresses.
fn read_routes(json: &Value) -> Vec<HostNetwork> {
    let mut found: Vec<HostNetwork> = items(json)
        .filter(|route| !matches!(text(route, "type").as_deref(), Some("local" | "broadcast" | "multicast")))
        .filter_map(|route| {
            let destination = text(route, "dst").filter(|destination| destination != "default")?;
            let net = destination
                .parse()
                .ok()
                .or_else(|| destination.parse::<Ipv4Addr>().ok().and_then(|address| Ipv4Net::new(address, 32).ok()))?;
            Some(HostNetwork { net, link: text(route, "dev").unwrap_or_default() })
        })
        .filter(|network| network.net.prefix_len() >= WIDEST_NETWORK)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn routes_are_read_with_their_links_and_without_the_default() {
        let json = json!([
            {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
            {"dst": "0.0.0.0/1", "gateway": "10.8.0.1", "dev": "tun0"},
            {"dst": "128.0.0.0/1", "gateway": "10.8.0.1", "dev": "tun0"},
            {"dst": "10.88.0.0/24", "dev": "kw-dev", "protocol": "kernel"},
            {"dst": "10.9.9.9", "dev": "tun0"},
            {"type": "local", "dst": "127.0.0.0/8", "dev": "lo", "table": "local"}
        ]);
        let routes = read_routes(&json);
        let shown: Vec<String> = routes.iter().map(|route| format!("{} {}", route.net, route.link)).collect();
        assert_eq!(shown, ["10.9.9.9/32 tun0", "10.88.0.0/24 kw-dev"]);
    }

    #[test]
    fn links_carry_alias_and_kind() {
        let json = json!([{"ifname": "kw-dev", "ifalias": "kubewright:dev", "linkinfo": {"info_kind": "bridge"}}, {"ifname": "eth0"}]);
        let links = read_links(&json);
        assert_eq!(links[1].alias.as_deref(), Some("kubewright:dev"));
        assert_eq!((links[0].kind.as_deref(), links[1].kind.as_deref()), (None, Some("bridge")));
    }

    #[test]
    fn addresses_keep_the_hosts_bits() {
        let json = json!([{"ifname": "eth0", "addr_info": [{"family": "inet", "local": "192.0.2.2", "prefixlen": 24}, {"family": "inet6", "local": "fe80::1", "prefixlen": 64}]}]);
        assert_eq!(read_addresses(&json), [HostNetwork { net: "192.0.2.2/24".parse().unwrap(), link: "eth0".into() }]);
    }
}
