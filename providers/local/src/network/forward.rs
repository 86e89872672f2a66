//! Lets a bridge's packets through where the host's firewall drops forwarded ones; touches no rule but its own.

mod iptables;
mod nft;
mod packet;

use std::collections::BTreeSet;

use crate::owner::Owner;
use crate::{LocalError, command, names};
use nft::Chain;
use packet::Packet;

/// Firewall software that forwarded packets come through.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Firewall {
    /// iptables, by the program that sees its rules.
    Iptables(&'static str),
    /// firewalld.
    Firewalld,
    /// A chain somebody wrote in nftables' own language.
    Nft(Chain),
}

/// Adds marked accept rules to every firewall that drops; nothing where none does.
pub(super) fn open(owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    let marker = owner.marker();
    for firewall in firewalls()? {
        if !firewall.is_open(bridge, &marker)? {
            firewall.close(bridge, &marker)?;
            firewall.open(bridge, &marker)?;
        }
    }
    Ok(())
}

/// Whether every firewall that drops lets the bridge's packets through.
pub(super) fn is_open(owner: &Owner, bridge: &str) -> Result<bool, LocalError> {
    let marker = owner.marker();
    for firewall in firewalls()? {
        if !firewall.is_open(bridge, &marker)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes the marked rules and firewalld's setting, from firewalls that no longer drop too.
pub(super) fn close(owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    close_rules(owner)?;
    if nft::forward_chains()?.iter().any(Chain::is_firewalld) {
        Firewall::Firewalld.close(bridge, &owner.marker())?;
    }
    Ok(())
}

/// Removes the marked rules, in whichever table they are.
pub(super) fn close_rules(owner: &Owner) -> Result<(), LocalError> {
    let marker = owner.marker();
    let chains = nft::forward_chains()?;
    for program in iptables::programs(chains.iter().any(Chain::is_iptables)) {
        iptables::close(program, &marker)?;
    }
    // All of them: what is iptables' or firewalld's by now may have been nobody's when the rules were added.
    chains.iter().try_for_each(|chain| chain.close(&marker))
}

/// All marked rules of all clusters in firewalls of others.
pub(crate) fn marked() -> Result<Vec<String>, LocalError> {
    let chains = nft::forward_chains()?;
    let mut found = Vec::new();
    for program in iptables::programs(chains.iter().any(Chain::is_iptables)) {
        found.extend(iptables::marked(&iptables::listing(program)?, names::MARKER));
    }
    for chain in &chains {
        for (comment, handle) in chain.marked(&chain.listing()?) {
            let Chain { family, table, name, .. } = chain;
            found.push(format!("{family} {table} {name} handle {handle} comment \"{comment}\""));
        }
    }
    Ok(found)
}

fn firewalls() -> Result<Vec<Firewall>, LocalError> {
    let chains = nft::forward_chains()?;
    let programs = iptables::programs(chains.iter().any(Chain::is_iptables));
    Ok(told_apart(chains, &programs))
}

/// Who keeps which chain. iptables' chain is written by nft where there is no program of iptables.
fn told_apart(chains: BTreeSet<Chain>, programs: &[&'static str]) -> Vec<Firewall> {
    let mut found: Vec<Firewall> = programs.iter().map(|program| Firewall::Iptables(program)).collect();
    if chains.iter().any(Chain::is_firewalld) {
        found.push(Firewall::Firewalld);
    }
    let others = chains.into_iter().filter(|chain| !chain.is_firewalld());
    found.extend(others.filter(|chain| programs.is_empty() || !chain.is_iptables()).map(Firewall::Nft));
    found
}

impl Firewall {
    /// Whether the bridge's packets pass: because of the marked rules, or because nothing drops them.
    fn is_open(&self, bridge: &str, marker: &str) -> Result<bool, LocalError> {
        let passes = |chains: &packet::Chains, name: &str, policy_drops: bool| {
            packet::is_opened(chains, name, marker) || !packet::drops(chains, name, policy_drops)
        };
        Ok(match self {
            Self::Iptables(program) => {
                let listing = iptables::listing(program)?;
                let drops = iptables::policy_drops(&listing);
                let chains = |packet| iptables::chains(&listing, packet);
                Packet::of(bridge).into_iter().all(|packet| passes(&chains(packet), iptables::CHAIN, drops))
            }
            Self::Firewalld => {
                command::run("firewall-cmd", &["--zone=trusted", &format!("--query-interface={bridge}")]).is_ok()
            }
            Self::Nft(chain) => {
                let listing = chain.listing()?;
                let chains = |packet| nft::chains(&listing, packet);
                Packet::of(bridge).into_iter().all(|packet| passes(&chains(packet), &chain.name, chain.policy_drops))
            }
        })
    }

    fn open(&self, bridge: &str, marker: &str) -> Result<(), LocalError> {
        match self {
            Self::Iptables(program) => iptables::open(program, bridge, marker),
            Self::Firewalld => {
                command::run("firewall-cmd", &["--zone=trusted", &format!("--change-interface={bridge}")]).map(drop)
            }
            Self::Nft(chain) => chain.open(bridge, marker),
        }
    }

    fn close(&self, bridge: &str, marker: &str) -> Result<(), LocalError> {
        match self {
            Self::Iptables(program) => iptables::close(program, marker),
            Self::Firewalld => {
                // firewalld says no when the interface is in no zone of its own.
                let _ = command::run("firewall-cmd", &["--zone=trusted", &format!("--remove-interface={bridge}")]);
                Ok(())
            }
            Self::Nft(chain) => chain.close(marker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(family: &str, table: &str, name: &str) -> Chain {
        Chain { family: family.into(), table: table.into(), name: name.into(), policy_drops: true }
    }

    #[test]
    fn iptables_chain_is_left_to_iptables_and_all_others_are_nfts() {
        let (inet, ip) = (chain("inet", "filter", "forward"), chain("ip", "filter", "FORWARD"));
        let chains = BTreeSet::from([inet.clone(), ip.clone()]);
        let kept = told_apart(chains.clone(), &["iptables-nft"]);
        assert_eq!(kept, [Firewall::Iptables("iptables-nft"), Firewall::Nft(inet.clone())]);
        assert_eq!(told_apart(chains, &[]), [Firewall::Nft(inet), Firewall::Nft(ip)], "no program would write there");
        let firewalld = BTreeSet::from([chain("inet", "firewalld", "filter_FORWARD")]);
        assert_eq!(told_apart(firewalld, &[]), [Firewall::Firewalld]);
    }
}
