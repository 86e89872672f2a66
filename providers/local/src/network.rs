//! The network of a cluster: bridge, address, masquerading, forwarding.

mod bridge;
mod forward;
mod host;
mod masquerade;
mod sysctl;

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use resource::{Observation, ResourceId};
use serde_json::Value;

pub(crate) use forward::marked as marked_rules;
pub(crate) use masquerade::tables;

use crate::facts::{self, HostLink, HostNetwork};
use crate::inputs::NetworkInputs;
use crate::{LocalError, command, names};

/// Makes a cluster's network as `inputs` says; whatever is right already stays untouched.
///
/// `before` are the inputs it was last made with; a bridge of another name is removed.
pub(crate) fn ensure(cluster: &str, inputs: &NetworkInputs, before: Option<&NetworkInputs>) -> Result<(), LocalError> {
    let mut host = host::Host::lock()?;
    host.claim(&inputs.bridge)?;
    if let Some(old) = before.filter(|old| old.bridge != inputs.bridge) {
        forward::close(cluster, &old.bridge)?;
        bridge::remove(cluster, &old.bridge)?;
        host.release(&old.bridge, false)?;
    }
    bridge::ensure(cluster, inputs)?;
    masquerade::ensure(cluster, inputs.subnet)?;
    forward::open(cluster, &inputs.bridge)
}

/// Removes a cluster's network, and with the last one of the host every setting that was changed for networks.
pub(crate) fn remove(cluster: &str, inputs: &NetworkInputs) -> Result<(), LocalError> {
    let mut host = host::Host::lock()?;
    forward::close(cluster, &inputs.bridge)?;
    masquerade::remove(cluster)?;
    bridge::remove(cluster, &inputs.bridge)?;
    let foreign_bridges = links()?.iter().any(|link| link.kind.as_deref() == Some("bridge") && !is_ours(link));
    host.release(&inputs.bridge, foreign_bridges)
}

/// Looks for many networks at once.
pub(crate) fn observe(wanted: &[(ResourceId, String, Option<Value>)]) -> BTreeMap<ResourceId, Observation> {
    let host = links().and_then(|links| {
        let addresses = command::json("ip", &["-j", "address", "show"])?;
        Ok((links, facts::read_addresses(&addresses)))
    });
    wanted
        .iter()
        .map(|(id, cluster, inputs)| {
            let found = match &host {
                Ok((links, addresses)) => find(cluster, inputs.as_ref(), links, addresses),
                Err(error) => Observation::unknown(error.to_string()),
            };
            (id.clone(), found)
        })
        .collect()
}

fn find(cluster: &str, inputs: Option<&Value>, links: &[HostLink], addresses: &[HostNetwork]) -> Observation {
    let wanted = inputs.and_then(|inputs| serde_json::from_value::<NetworkInputs>(inputs.clone()).ok());
    let name = wanted.as_ref().map_or_else(|| names::bridge_name(cluster), |wanted| wanted.bridge.clone());
    match links.iter().find(|link| link.name == name) {
        None => return Observation::Absent,
        Some(link) if link.alias.as_deref() != Some(names::marker(cluster).as_str()) => {
            return Observation::unknown(format!("link {name} is there but carries no marker of this cluster"));
        }
        Some(_) => {}
    }
    let parts = masquerade::find(cluster).and_then(|subnet| {
        let forwards = host::forwards() && forward::is_open(cluster, &name)?;
        Ok(Parts { subnet, address: addresses.iter().find(|at| at.link == name).map(|at| at.net), forwards })
    });
    match parts {
        Ok(parts) => Observation::present(attributes(&name, wanted.as_ref(), &parts)),
        Err(error) => Observation::unknown(error.to_string()),
    }
}

/// What was found of a network whose bridge is there.
struct Parts {
    /// The subnet that is masqueraded.
    subnet: Option<Ipv4Net>,
    /// The bridge's address.
    address: Option<Ipv4Net>,
    /// Whether the host lets packets through.
    forwards: bool,
}

/// Attributes in the shape of the inputs. A gateway that does not forward is none, and a subnet that is not masqueraded
/// is missing, so that the next update makes them good.
fn attributes(bridge: &str, wanted: Option<&NetworkInputs>, parts: &Parts) -> Value {
    let mut found = BTreeMap::from([("bridge", bridge.to_owned())]);
    // An address with another prefix shows as the subnet it belongs to.
    let subnet = match (parts.subnet, parts.address) {
        (Some(subnet), Some(address)) if address.trunc() == subnet => Some(subnet),
        (Some(_), Some(address)) if wanted.is_some_and(|wanted| wanted.gateway == address.addr()) => {
            Some(address.trunc())
        }
        (subnet, _) => subnet,
    };
    if let Some(subnet) = subnet {
        found.insert("subnet", subnet.to_string());
    }
    if let Some(address) = parts.address.filter(|_| parts.forwards) {
        found.insert("gateway", address.addr().to_string());
    }
    serde_json::to_value(found).unwrap_or_default()
}

pub(crate) fn links() -> Result<Vec<HostLink>, LocalError> {
    Ok(facts::read_links(&command::json("ip", &["-j", "-d", "link", "show"])?))
}

pub(crate) fn is_ours(link: &HostLink) -> bool {
    link.alias.as_deref().is_some_and(|alias| alias.starts_with(names::MARKER))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inputs() -> NetworkInputs {
        serde_json::from_value(json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "gateway": "10.88.0.1"})).unwrap()
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_as_desired_shows_equal_json() {
        let parts = Parts { subnet: Some(net("10.88.0.0/24")), address: Some(net("10.88.0.1/24")), forwards: true };
        assert_eq!(attributes("kw-dev", Some(&inputs()), &parts), serde_json::to_value(inputs()).unwrap());
    }

    #[test]
    fn what_is_missing_is_a_missing_key() {
        let parts = Parts { subnet: None, address: Some(net("10.88.0.1/24")), forwards: true };
        assert_eq!(attributes("kw-dev", Some(&inputs()), &parts), json!({"bridge": "kw-dev", "gateway": "10.88.0.1"}));
        let parts = Parts { subnet: Some(net("10.88.0.0/24")), address: Some(net("10.88.0.1/24")), forwards: false };
        assert_eq!(
            attributes("kw-dev", Some(&inputs()), &parts),
            json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24"})
        );
    }

    #[test]
    fn another_address_or_prefix_shows_as_it_is() {
        let parts = Parts { subnet: Some(net("10.88.0.0/24")), address: Some(net("10.88.0.9/24")), forwards: true };
        assert_eq!(attributes("kw-dev", Some(&inputs()), &parts)["gateway"], "10.88.0.9");
        let parts = Parts { subnet: Some(net("10.88.0.0/24")), address: Some(net("10.88.0.1/16")), forwards: true };
        assert_eq!(attributes("kw-dev", Some(&inputs()), &parts)["subnet"], "10.88.0.0/16");
    }

    #[test]
    fn a_link_without_our_marker_is_not_taken_for_ours() {
        let links = [HostLink { name: "kw-dev".into(), alias: None, kind: Some("bridge".into()) }];
        assert!(matches!(find("dev", None, &links, &[]), Observation::Unknown { .. }));
        assert_eq!(find("dev", None, &[], &[]), Observation::Absent);
    }
}
