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
        if !is_owned(owner, link, recorded) {
            return Err(LocalError::Foreign { object: format!("link {}", link.name) });
        }
    } else if let Some(other) = overlapping(inputs, &addresses) {
        return Err(LocalError::Overlaps { subnet: inputs.subnet, net: other.net.trunc(), link: other.link.clone() });
    }
    remove_unmarked(&inputs.bridge, &links)?;
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

/// Whether a run that was killed while it made the bridge has left something.
pub(super) fn is_half_made(bridge: &str, links: &[HostLink]) -> bool {
    let name = names::unmarked_bridge_name(bridge);
    links.iter().any(|link| link.name == name)
}

/// Removes what a run that was killed while it made the bridge has left. Not in one batch with what is made: `ip` would
/// take the new link for the old one, whose number it remembers.
fn remove_unmarked(bridge: &str, links: &[HostLink]) -> Result<(), LocalError> {
    if !is_half_made(bridge, links) {
        return Ok(());
    }
    command::run("ip", &["link", "delete", "dev", &names::unmarked_bridge_name(bridge)]).map(drop)
}

/// Removes the bridge; fine where it is gone, refused where it is not the cluster's.
pub(super) fn remove(owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    let links = super::links()?;
    remove_unmarked(bridge, &links)?;
    match links.iter().find(|link| link.name == bridge) {
        None => Ok(()),
        Some(link) if is_owned(owner, link, true) => command::run("ip", &["link", "delete", "dev", bridge]).map(drop),
        Some(_) => Err(LocalError::Foreign { object: format!("link {bridge}") }),
    }
}

/// Commands for `ip -batch`.
fn batch(owner: &Owner, inputs: &NetworkInputs, link: Option<&HostLink>, addresses: &[Ipv4Net]) -> String {
    let NetworkInputs { bridge, subnet, gateway, .. } = inputs;
    let mut text = String::new();
    // Without an address of its own a bridge takes its ports', which come and go, and neighbours lose the gateway.
    let (alias, mac) = (owner.marker(), names::mac_address(bridge));
    if link.is_none() {
        // Links cannot be made with a marker: who is killed between must leave nothing unmarked under the bridge's name.
        let made = names::unmarked_bridge_name(bridge);
        let _ = writeln!(text, "link add name {made} type bridge");
        let _ = writeln!(text, "link set dev {made} alias {alias} address {mac}");
        let _ = writeln!(text, "link set dev {made} name {bridge}");
    }
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
    fn a_new_bridge_has_its_name_only_once_it_is_marked() {
        let (made, mac) = (names::unmarked_bridge_name("kw-dev"), names::mac_address("kw-dev"));
        let marked = format!("alias kubewright:1a-2b/dev address {mac}");
        let expected = [
            &format!("link add name {made} type bridge"),
            &format!("link set dev {made} {marked}"),
            &format!("link set dev {made} name kw-dev"),
            &format!("link set dev kw-dev {marked} up"),
            "address replace 10.88.0.1/24 dev kw-dev\n",
        ]
        .join("\n");
        assert_eq!(batch(&Owner::new("1a-2b", "dev"), &inputs(), None, &[]), expected);
    }

    #[test]
    fn a_bridge_that_was_only_begun_is_told_from_all_others() {
        let link = |name: String| [HostLink { name, alias: None, kind: Some("bridge".into()) }];
        let made = names::unmarked_bridge_name("kw-dev");
        assert!(made.len() <= 15 && !made.starts_with("kw-"), "{made}");
        assert!(is_half_made("kw-dev", &link(made.clone())));
        assert!(!is_half_made("kw-dev", &link("kw-dev".into())) && !is_half_made("kw-dev2", &link(made)));
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
