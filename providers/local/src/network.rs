//! The network of a cluster: bridge, address, masquerading, forwarding.

mod bridge;
mod forward;
mod host;
mod masquerade;
mod resolver;
mod sysctl;

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use resource::{Observation, ResourceId};
use serde_json::{Value, json};

pub(crate) use forward::marked as marked_rules;
pub(crate) use host::lock;
pub(crate) use masquerade::tables;

use host::Host;
use masquerade::Translation;

use crate::facts::{self, HostLink, HostNetwork};
use crate::inputs::NetworkInputs;
use crate::owner::Owner;
use crate::{LocalError, command, names};

/// Makes a cluster's network as `inputs` says; whatever is right already stays untouched.
///
/// `before` are the inputs it was last made with; a bridge of another name is removed.
pub(crate) fn ensure(
    cluster: &str,
    inputs: &NetworkInputs,
    before: Option<&NetworkInputs>,
    mut host: Host,
) -> Result<(), LocalError> {
    let owner = Owner::new(&inputs.lineage, cluster);
    host.claim(&inputs.bridge)?;
    if let Some(old) = before {
        let earlier = Owner::new(&old.lineage, cluster);
        if old.bridge != inputs.bridge {
            forward::close(&earlier, &old.bridge)?;
            bridge::remove(&earlier, &old.bridge)?;
            host.release(&old.bridge, false)?;
        } else if earlier != owner {
            mark_anew(&earlier, &owner, inputs)?;
        }
    }
    bridge::ensure(&owner, inputs, before.is_some())?;
    masquerade::ensure(&owner, inputs)?;
    forward::open(&owner, &inputs.bridge)
}

/// Puts everything of a network under another marker without a moment in which packets are lost. The bridge's own is
/// changed by whoever calls, last: as long as it is the earlier one, this is done again.
fn mark_anew(earlier: &Owner, owner: &Owner, inputs: &NetworkInputs) -> Result<(), LocalError> {
    masquerade::ensure(owner, inputs)?;
    masquerade::remove(earlier)?;
    forward::open(owner, &inputs.bridge)?;
    forward::close_rules(earlier)
}

/// Removes a cluster's network, and with the last one of the host every setting that was changed for networks.
pub(crate) fn remove(cluster: &str, inputs: &NetworkInputs, mut host: Host) -> Result<(), LocalError> {
    let owner = Owner::new(&inputs.lineage, cluster);
    if let Some(foreign) =
        links()?.iter().find(|link| link.name == inputs.bridge && !bridge::is_owned(&owner, link, true))
    {
        return Err(LocalError::Foreign { object: format!("link {}", foreign.name) });
    }
    forward::close(&owner, &inputs.bridge)?;
    masquerade::remove(&owner)?;
    bridge::remove(&owner, &inputs.bridge)?;
    let foreign_bridges = links()?.iter().any(|link| link.kind.as_deref() == Some("bridge") && !is_ours(link));
    host.release(&inputs.bridge, foreign_bridges)
}

/// A network that is looked for.
pub(crate) struct Asked {
    /// Its resource.
    pub(crate) id: ResourceId,
    /// Its inputs, where there are any.
    pub(crate) inputs: Option<Value>,
    /// Our own record knows it.
    pub(crate) recorded: bool,
    /// The host that our record says it is on.
    pub(crate) recorded_host: Option<Value>,
    /// It is to go, so that whatever is left of it counts.
    pub(crate) unwanted: bool,
}

/// Looks for many networks at once.
pub(crate) fn observe(asked: &[Asked]) -> BTreeMap<ResourceId, Observation> {
    let host = links().and_then(|links| {
        let addresses = command::json("ip", &["-j", "address", "show"])?;
        Ok((links, facts::read_addresses(&addresses)))
    });
    asked
        .iter()
        .map(|asked| {
            let found = match &host {
                Ok((links, addresses)) => find(asked, links, addresses),
                Err(error) => Observation::unknown(error.to_string()),
            };
            (asked.id.clone(), found)
        })
        .collect()
}

fn find(asked: &Asked, links: &[HostLink], addresses: &[HostNetwork]) -> Observation {
    let cluster = asked.id.name();
    let inputs = asked.inputs.clone();
    let wanted = inputs.and_then(|inputs| serde_json::from_value::<NetworkInputs>(inputs).ok());
    let owner = Owner::new(wanted.as_ref().map_or("", |wanted| &wanted.lineage), cluster);
    let name = wanted.as_ref().map_or_else(|| names::bridge_name(cluster), |wanted| wanted.bridge.clone());
    let Some(link) = links.iter().find(|link| link.name == name) else {
        return if asked.recorded && asked.unwanted { leftovers(&owner, &name, links) } else { Observation::Absent };
    };
    let marked = match link.alias.as_deref().and_then(Owner::read) {
        Some(marked) if owner.owns(&marked, asked.recorded) => marked,
        other => return Observation::unknown(foreign(&name, other.as_ref())),
    };
    let parts = masquerade::find(&marked, &name).and_then(|translation| {
        let forwards = host::forwards() && forward::is_open(&marked, &name)?;
        let address = addresses.iter().find(|at| at.link == name).map(|at| at.net);
        Ok(Parts { translation, address, forwards, lineage: marked.lineage })
    });
    match parts {
        Ok(parts) => Observation::present(attributes(&name, wanted.as_ref(), asked.recorded_host.as_ref(), &parts)),
        Err(error) => Observation::unknown(error.to_string()),
    }
}

/// What is left of a network whose bridge is gone, or was only begun: what masquerades for it, rules that let its packets
/// through, and what the host remembers of how it was before.
fn leftovers(owner: &Owner, bridge: &str, links: &[HostLink]) -> Observation {
    let marker = owner.marker();
    let seen = masquerade::tables().and_then(|tables| {
        let rules = forward::marked()?.into_iter().filter(|rule| rule.split(['"', ' ']).any(|word| word == marker));
        Ok((
            tables.contains(&owner.table()),
            rules.count(),
            host::remembers(bridge)? || bridge::is_half_made(bridge, links),
        ))
    });
    match seen {
        Ok((table, rules, host)) => remains(table, rules, host),
        Err(error) => Observation::unknown(error.to_string()),
    }
}

fn remains(table: bool, rules: usize, host: bool) -> Observation {
    if !table && rules == 0 && !host {
        return Observation::Absent;
    }
    Observation::present(json!({"bridge": null, "table": table, "rules": rules, "host": host}))
}

/// Why a link with our name is not ours.
pub(crate) fn foreign(link: &str, marked: Option<&Owner>) -> String {
    match marked {
        Some(owner) => format!("link {link} belongs to {owner}"),
        None => {
            format!("link {link} is there and is not kubewright's; if nothing needs it: `ip link delete {link}`")
        }
    }
}

/// What was found of a network whose bridge is there.
struct Parts {
    /// The lineage that it is marked with.
    lineage: Option<String>,
    /// What its table translates.
    translation: Translation,
    /// The bridge's address.
    address: Option<Ipv4Net>,
    /// Whether the host lets packets through.
    forwards: bool,
}

/// Attributes in the shape of the inputs. A gateway that does not forward is none, and a subnet that is not masqueraded
/// is missing, so that the next update makes them good.
///
/// Nothing on the host says which one it is: it is on the one that was `recorded`, so that a better name for it is an update.
fn attributes(bridge: &str, wanted: Option<&NetworkInputs>, recorded_host: Option<&Value>, parts: &Parts) -> Value {
    let mut found = BTreeMap::from([("bridge", bridge.to_owned())]);
    // An address with another prefix shows as the subnet it belongs to.
    let subnet = match (parts.translation.subnet, parts.address) {
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
    if let Some(resolver) = parts.translation.resolver {
        found.insert("resolver", resolver.to_string());
    }
    if let Some(lineage) = &parts.lineage {
        found.insert("lineage", lineage.clone());
    }
    let mut found = serde_json::to_value(found).unwrap_or_default();
    // What is marked anew is told where it lives by the same update.
    let wanted_host = || serde_json::to_value(wanted?.host.as_ref()?).ok();
    if let (Some(host), true) = (recorded_host.cloned().or_else(wanted_host), parts.lineage.is_some()) {
        found["host"] = host;
    }
    found
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
        serde_json::from_value(
            json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "gateway": "10.88.0.1", "lineage": "1a-2b"}),
        )
        .unwrap()
    }

    fn parts(subnet: Option<&str>, address: &str, forwards: bool) -> Parts {
        let translation = Translation { subnet: subnet.map(net), resolver: None };
        Parts { lineage: Some("1a-2b".into()), translation, address: Some(net(address)), forwards }
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_as_desired_shows_equal_json() {
        let parts = parts(Some("10.88.0.0/24"), "10.88.0.1/24", true);
        assert_eq!(attributes("kw-dev", Some(&inputs()), None, &parts), serde_json::to_value(inputs()).unwrap());
    }

    #[test]
    fn a_host_that_has_a_better_id_now_is_an_update_of_its_network() {
        let host = |id: &str| json!({"machineId": id, "hostname": "a", "directory": "/m"});
        let wanted = NetworkInputs { host: serde_json::from_value(host("firmware")).ok(), ..inputs() };
        let parts = parts(Some("10.88.0.0/24"), "10.88.0.1/24", true);
        let shown = |recorded: Option<&Value>| attributes("kw-dev", Some(&wanted), recorded, &parts)["host"].clone();
        assert_eq!(shown(Some(&host("boot"))), host("boot"));
        assert_eq!(shown(None), host("firmware"));
    }

    #[test]
    fn what_is_missing_is_a_missing_key() {
        let found = attributes("kw-dev", Some(&inputs()), None, &parts(None, "10.88.0.1/24", true));
        assert_eq!(found, json!({"bridge": "kw-dev", "gateway": "10.88.0.1", "lineage": "1a-2b"}));
        let found = attributes("kw-dev", Some(&inputs()), None, &parts(Some("10.88.0.0/24"), "10.88.0.1/24", false));
        assert_eq!(found, json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "lineage": "1a-2b"}));
    }

    #[test]
    fn another_address_or_prefix_shows_as_it_is() {
        let found = |address| attributes("kw-dev", Some(&inputs()), None, &parts(Some("10.88.0.0/24"), address, true));
        assert_eq!(found("10.88.0.9/24")["gateway"], "10.88.0.9");
        assert_eq!(found("10.88.0.1/16")["subnet"], "10.88.0.0/16");
    }

    #[test]
    fn a_link_without_our_marker_is_not_taken_for_ours() {
        assert!(observed_as(None, true).contains("is not kubewright's"));
        let asked = Asked {
            id: "network/dev".parse().unwrap(),
            inputs: None,
            recorded: false,
            recorded_host: None,
            unwanted: true,
        };
        assert_eq!(find(&asked, &[], &[]), Observation::Absent);
    }

    #[test]
    fn a_network_of_which_only_the_hosts_settings_are_left_is_still_to_be_deleted() {
        assert_eq!(remains(false, 0, false), Observation::Absent);
        for seen in [(true, 0, false), (false, 1, false), (false, 0, true)] {
            assert!(matches!(remains(seen.0, seen.1, seen.2), Observation::Present { .. }), "{seen:?}");
        }
    }

    /// Why the link with this alias is not looked at as ours.
    fn observed_as(alias: Option<&str>, recorded: bool) -> String {
        let links = [HostLink { name: "kw-dev".into(), alias: alias.map(str::to_owned), kind: Some("bridge".into()) }];
        let inputs = serde_json::to_value(inputs()).ok();
        let id = "network/dev".parse().unwrap();
        match find(&Asked { id, inputs, recorded, recorded_host: None, unwanted: false }, &links, &[]) {
            Observation::Unknown { why } => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_network_of_another_state_with_the_same_name_is_unknown_and_its_owner_is_named() {
        let why = observed_as(Some("kubewright:9z9z-8y/dev"), true);
        assert!(why.contains("cluster dev of another state (lineage 9z9z8y)"), "{why}");
    }

    #[test]
    fn a_network_that_an_earlier_release_marked_is_nobodys_unless_we_recorded_it() {
        assert!(observed_as(Some("kubewright:dev"), false).contains("earlier release"));
    }
}
