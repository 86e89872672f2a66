//! Lets a bridge's packets through where the host's firewall drops forwarded ones; touches no rule but its own.

use serde_json::Value;

use crate::owner::Owner;
use crate::{LocalError, command, names};

/// Firewall software that drops or rejects forwarded packets.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Firewall {
    /// iptables, by the program that sees its rules.
    Iptables(String),
    /// firewalld.
    Firewalld,
    /// A chain somebody wrote in nftables' own language.
    Nft { family: String, table: String, chain: String },
}

/// Adds marked accept rules to every firewall that drops; nothing where none does.
pub(super) fn open(owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    for firewall in detect()? {
        if !is_open_in(&firewall, owner, bridge)? {
            open_in(&firewall, owner, bridge)?;
        }
    }
    Ok(())
}

/// Whether every firewall that drops lets the bridge's packets through.
pub(super) fn is_open(owner: &Owner, bridge: &str) -> Result<bool, LocalError> {
    for firewall in detect()? {
        if !is_open_in(&firewall, owner, bridge)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes the marked rules and firewalld's setting, from firewalls that no longer drop too.
pub(super) fn close(owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    close_rules(owner)?;
    if has_firewalld(&chains()?) {
        // firewalld says no when the interface is in no zone of its own.
        let _ = command::run("firewall-cmd", &["--zone=trusted", &format!("--remove-interface={bridge}")]);
    }
    Ok(())
}

/// Removes the marked rules.
pub(super) fn close_rules(owner: &Owner) -> Result<(), LocalError> {
    let chains = chains()?;
    for program in iptables_programs(&chains) {
        for rule in marked_in(&program, &owner.marker())? {
            let rule = rule.replacen("-A ", "-D ", 1).replace('"', "");
            command::run(&program, &rule.split(' ').collect::<Vec<_>>())?;
        }
    }
    for (family, table, chain) in forward_chains(&chains).filter(|(_, table, _)| !is_iptables(table)) {
        for handle in handles(&family, &table, &chain, &owner.marker())? {
            command::run("nft", &["delete", "rule", &family, &table, &chain, "handle", &handle.to_string()])?;
        }
    }
    Ok(())
}

/// All marked iptables rules of all clusters.
pub(crate) fn marked() -> Result<Vec<String>, LocalError> {
    let mut found = Vec::new();
    for program in iptables_programs(&chains()?) {
        found.extend(marked_in(&program, names::MARKER)?);
    }
    Ok(found)
}

fn detect() -> Result<Vec<Firewall>, LocalError> {
    let chains = chains()?;
    let mut found = Vec::new();
    for program in iptables_programs(&chains) {
        if drops(&command::run(&program, &["-w", "-S", "FORWARD"])?) {
            found.push(Firewall::Iptables(program));
        }
    }
    if has_firewalld(&chains) {
        found.push(Firewall::Firewalld);
    }
    found.extend(dropping_chains(&chains));
    Ok(found)
}

/// Base chains of all tables.
fn chains() -> Result<Value, LocalError> {
    command::json("nft", &["-j", "list", "chains"])
}

fn chain_list(chains: &Value) -> impl Iterator<Item = &Value> {
    let objects = chains.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    objects.iter().filter_map(|object| object.get("chain"))
}

fn field<'a>(chain: &'a Value, name: &str) -> &'a str {
    chain.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Chains at the forward hook that see IPv4: family, table, chain. Ours and firewalld's are left out.
fn forward_chains(chains: &Value) -> impl Iterator<Item = (String, String, String)> {
    chain_list(chains)
        .filter(|chain| field(chain, "hook") == "forward" && matches!(field(chain, "family"), "ip" | "inet"))
        .filter(|chain| !field(chain, "table").starts_with(names::TABLE) && field(chain, "table") != "firewalld")
        .map(|chain| (field(chain, "family").into(), field(chain, "table").into(), field(chain, "name").into()))
}

/// The table that iptables' nft variant keeps its filter rules in. nft must not write there: iptables then refuses to.
fn is_iptables(table: &str) -> bool {
    table == "filter"
}

fn dropping_chains(chains: &Value) -> Vec<Firewall> {
    let drop = |table: &str, name: &str| {
        chain_list(chains).any(|chain| {
            field(chain, "table") == table && field(chain, "name") == name && field(chain, "policy") == "drop"
        })
    };
    forward_chains(chains)
        .filter(|(family, table, chain)| !(is_iptables(table) && family == "ip") && drop(table, chain))
        .map(|(family, table, chain)| Firewall::Nft { family, table, chain })
        .collect()
}

fn has_firewalld(chains: &Value) -> bool {
    chain_list(chains).any(|chain| field(chain, "table") == "firewalld")
}

/// The iptables programs whose tables are in use. Asking the legacy program where they aren't would load its modules.
fn iptables_programs(chains: &Value) -> Vec<String> {
    let legacy_tables = fs_err::read_to_string("/proc/net/ip_tables_names").unwrap_or_default();
    let in_nft = forward_chains(chains).any(|(family, table, _)| family == "ip" && is_iptables(&table));
    let installed = |program: &str| command::find(program).is_some();
    let mut programs = Vec::new();
    if in_nft {
        programs.extend(["iptables-nft", "iptables"].into_iter().find(|program| installed(program)));
    }
    if legacy_tables.lines().any(|table| table == "filter") {
        programs.extend(["iptables-legacy", "iptables"].into_iter().find(|program| installed(program)));
    }
    programs.dedup();
    programs.into_iter().map(str::to_owned).collect()
}

/// Whether `iptables -S FORWARD` ends in dropping: by policy, or by a rule without conditions (Red Hat's default).
fn drops(listing: &str) -> bool {
    listing.lines().any(|line| {
        line == "-P FORWARD DROP" || line.starts_with("-A FORWARD -j REJECT") || line == "-A FORWARD -j DROP"
    })
}

fn marked_in(program: &str, marker: &str) -> Result<Vec<String>, LocalError> {
    let listing = command::run(program, &["-w", "-S", "FORWARD"])?;
    Ok(rules_with(&listing, marker))
}

/// Rules of a listing whose comment is `marker`, or begins with it where it names no cluster.
fn rules_with(listing: &str, marker: &str) -> Vec<String> {
    let commented = |line: &str| {
        let comment = line.split("--comment ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let comment = comment.trim_matches('"');
        comment == marker || (marker == names::MARKER && comment.starts_with(marker))
    };
    listing.lines().filter(|line| line.starts_with("-A ") && commented(line)).map(str::to_owned).collect()
}

fn is_open_in(firewall: &Firewall, owner: &Owner, bridge: &str) -> Result<bool, LocalError> {
    let marker = owner.marker();
    Ok(match firewall {
        Firewall::Iptables(program) => marked_in(program, &marker)?.len() >= 2,
        Firewall::Firewalld => {
            command::run("firewall-cmd", &["--zone=trusted", &format!("--query-interface={bridge}")]).is_ok()
        }
        Firewall::Nft { family, table, chain } => handles(family, table, chain, &marker)?.len() >= 2,
    })
}

fn open_in(firewall: &Firewall, owner: &Owner, bridge: &str) -> Result<(), LocalError> {
    let marker = owner.marker();
    match firewall {
        Firewall::Iptables(program) => {
            for direction in ["-i", "-o"] {
                let rule = [direction, bridge, "-m", "comment", "--comment", &marker, "-j", "ACCEPT"];
                let arguments: Vec<&str> = ["-w", "-I", "FORWARD", "1"].into_iter().chain(rule).collect();
                command::run(program, &arguments)?;
            }
            Ok(())
        }
        Firewall::Firewalld => {
            command::run("firewall-cmd", &["--zone=trusted", &format!("--change-interface={bridge}")]).map(drop)
        }
        Firewall::Nft { family, table, chain } => {
            let rule = |field: &str| {
                format!("insert rule {family} {table} {chain} {field} \"{bridge}\" accept comment \"{marker}\"\n")
            };
            command::feed("nft", &["-f", "-"], &format!("{}{}", rule("iifname"), rule("oifname"))).map(drop)
        }
    }
}

/// Handles of the marked rules of a chain.
fn handles(family: &str, table: &str, chain: &str, marker: &str) -> Result<Vec<u64>, LocalError> {
    let listed = command::json("nft", &["-j", "-a", "list", "chain", family, table, chain])?;
    let objects = listed.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rules = objects.iter().filter_map(|object| object.get("rule"));
    let marked = rules.filter(|rule| field(rule, "comment") == marker);
    Ok(marked.filter_map(|rule| rule.get("handle").and_then(Value::as_u64)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn docker_and_red_hat_hosts_are_seen_to_drop() {
        assert!(drops("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n"));
        assert!(drops("-P FORWARD ACCEPT\n-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n"));
        assert!(!drops("-P FORWARD ACCEPT\n-A FORWARD -i x -j DROP\n"));
    }

    #[test]
    fn only_rules_with_exactly_our_comment_are_ours() {
        let listing = "-P FORWARD DROP\n\
            -A FORWARD -i kw-dev -m comment --comment \"kubewright:dev\" -j ACCEPT\n\
            -A FORWARD -i kw-dev2 -m comment --comment kubewright:dev2 -j ACCEPT\n\
            -A FORWARD -m comment --comment \"cali:x\" -j cali-FORWARD\n";
        assert_eq!(rules_with(listing, "kubewright:dev").len(), 1);
        assert_eq!(rules_with(listing, names::MARKER).len(), 2);
    }

    #[test]
    fn dropping_chains_of_others_are_found_and_iptables_and_our_own_left_out() {
        let chain = |family: &str, table: &str, name: &str, policy: &str| json!({"chain": {"family": family, "table": table, "name": name, "hook": "forward", "policy": policy}});
        let listed = json!({"nftables": [
            chain("ip", "filter", "FORWARD", "drop"),
            chain("inet", "filter", "forward", "drop"),
            chain("inet", "lax", "forward", "accept"),
            chain("inet", "kubewright-dev", "forward", "drop"),
        ]});
        let expected = Firewall::Nft { family: "inet".into(), table: "filter".into(), chain: "forward".into() };
        assert_eq!(dropping_chains(&listed), [expected]);
        assert!(!has_firewalld(&listed));
        assert!(has_firewalld(&json!({"nftables": [chain("inet", "firewalld", "filter_FORWARD", "accept")]})));
    }
}
