//! The bridge of a cluster and the host's address on it.

use std::fmt::Write as _;

use ipnet::Ipv4Net;

use crate::facts::{self, HostLink, HostNetwork};
use crate::inputs::NetworkInputs;
use crate::owner::Owner;
use crate::{LocalError, command, names};

/// Makes the bridge, or brings the one that is there into shape. `recorded`: our record knows it.
pub(super) fn ensure(owner: &Owner, inputs: &NetworkInputs, recorded: bool) -> Result<(), LocalError> {
    let links = super::links()?;
    let addresses = facts::read_addresses(&command::json("ip", &["-j", "address", "show"])?);
    let own: Vec<Ipv4Net> = addresses.iter().filter(|at| at.link == inputs.bridge).map(|at| at.net).collect();
    let link = links.iter().find(|link| link.name == inputs.bridge);
    if let Some(link) = link {
        // A run that was killed between making the link and marking it leaves a bare bridge: that one is taken over.
        let bare = link.kind.as_deref() == Some("bridge") && link.alias.is_none() && own.is_empty();
        if !is_owned(owner, link, recorded) && !bare {
            return Err(LocalError::Foreign { object: format!("link {}", link.name) });
        }
    } else if let Some(other) = overlapping(inputs, &addresses) {
        return Err(LocalError::Overlaps { subnet: inputs.subnet, net: other.net.trunc(), link: other.link.clone() });
    }
    command::feed("ip", &["-batch", "-"], &batch(owner, inputs, link, &own)).map(drop)
}

/// Whether a link carries the owner's marker.
pub(super) fn is_owned(owner: &Owner, link: &HostLink, recorded: bool) -> bool {
    link.alias.as_deref().and_then(Owner::read).is_some_and(|marked| owner.owns(&marked, recorded))
}

/// The first address of another link in the subnet.
fn overlapping<'a>(inputs: &NetworkInputs, addresses: &'a [HostNetwork]) -> Option<&'a HostNetwork> {
    let overlaps = |net: Ipv4Net| net.contains(&inputs.subnet.network()) || inputs.subnet.contains(&net.network());
    addresses.iter().find(|at| at.link != inputs.bridge && overlaps(at.net))
}

/// Removes the bridge; fine where it is gone, refused where it is not the cluster's.
pub(super) fn remove(owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    match super::links()?.iter().find(|link| link.name == bridge) {
        None => Ok(()),
        Some(link) if is_owned(owner, link, true) => command::run("ip", &["link", "delete", "dev", bridge]).map(drop),
        Some(_) => Err(LocalError::Foreign { object: format!("link {bridge}") }),
    }
}

/// Commands for `ip -batch`.
fn batch(owner: &Owner, inputs: &NetworkInputs, link: Option<&HostLink>, addresses: &[Ipv4Net]) -> String {
    let NetworkInputs { bridge, subnet, gateway, .. } = inputs;
    let mut text = String::new();
    if link.is_none() {
        let _ = writeln!(text, "link add name {bridge} type bridge");
    }
    // Without an address of its own a bridge takes its ports', which come and go, and neighbours lose the gateway.
    let (alias, mac) = (owner.marker(), names::mac_address(bridge));
    let _ = writeln!(text, "link set dev {bridge} alias {alias} address {mac} up");
    let wanted = Ipv4Net::new(*gateway, subnet.prefix_len()).ok();
    for address in addresses.iter().filter(|address| Some(**address) != wanted) {
        let _ = writeln!(text, "address delete {address} dev {bridge}");
    }
    let _ = writeln!(text, "address replace {gateway}/{} dev {bridge}", subnet.prefix_len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> NetworkInputs {
        let (subnet, gateway) = ("10.88.0.0/24".parse().unwrap(), "10.88.0.1".parse().unwrap());
        NetworkInputs { bridge: "kw-dev".into(), subnet, gateway, lineage: "1a-2b".into(), host: None, resolver: None }
    }

    #[test]
    fn a_new_bridge_is_made_marked_and_addressed() {
        let expected = format!(
            "link add name kw-dev type bridge\nlink set dev kw-dev alias kubewright:1a-2b/dev address {} up\naddress replace 10.88.0.1/24 dev kw-dev\n",
            names::mac_address("kw-dev")
        );
        assert_eq!(batch(&Owner::new("1a-2b", "dev"), &inputs(), None, &[]), expected);
    }

    #[test]
    fn an_existing_bridge_loses_only_wrong_addresses() {
        let link = HostLink { name: "kw-dev".into(), alias: None, kind: None };
        let addresses = ["10.88.0.1/24".parse().unwrap(), "10.88.9.1/24".parse().unwrap()];
        let text = batch(&Owner::new("1a-2b", "dev"), &inputs(), Some(&link), &addresses);
        assert!(!text.contains("link add") && text.contains("address delete 10.88.9.1/24 dev kw-dev\n"), "{text}");
        assert!(!text.contains("delete 10.88.0.1/24"), "{text}");
    }
}
