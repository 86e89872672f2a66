//! iptables' filter table: which programs see one, and what its listing says.

use super::packet::{Chains, Effect, Packet, Rule};
use crate::{LocalError, command, names};

/// The chain that forwarded packets come to.
pub(super) const CHAIN: &str = "FORWARD";

/// How many seconds to wait for others that change rules; without a number it is for ever.
const TIMEOUT: &str = "60";

/// The iptables programs whose tables are in use. Asking the legacy program where they aren't would load its modules.
pub(super) fn programs(in_nft: bool) -> Vec<&'static str> {
    let legacy_tables = fs_err::read_to_string("/proc/net/ip_tables_names").unwrap_or_default();
    let installed = |program: &&str| command::find(program).is_some();
    let mut programs = Vec::new();
    if in_nft {
        programs.extend(["iptables-nft", "iptables"].into_iter().find(installed));
    }
    if legacy_tables.lines().any(|table| table == "filter") {
        programs.extend(["iptables-legacy", "iptables"].into_iter().find(installed));
    }
    programs.dedup();
    programs
}

/// All rules of the filter table as `iptables -S` writes them.
pub(super) fn listing(program: &str) -> Result<String, LocalError> {
    command::run(program, &["-w", TIMEOUT, "-S"])
}

/// Lets everything from and to a bridge through, first of all.
pub(super) fn open(program: &str, bridge: &str, marker: &str) -> Result<(), LocalError> {
    for direction in ["-i", "-o"] {
        let rule = [direction, bridge, "-m", "comment", "--comment", marker, "-j", "ACCEPT"];
        let arguments: Vec<&str> = ["-w", TIMEOUT, "-I", CHAIN, "1"].into_iter().chain(rule).collect();
        command::run(program, &arguments)?;
    }
    Ok(())
}

/// Removes the marked rules.
pub(super) fn close(program: &str, marker: &str) -> Result<(), LocalError> {
    for rule in marked(&listing(program)?, marker) {
        let words = words(&rule.replacen("-A ", "-D ", 1));
        let arguments: Vec<&str> = ["-w", TIMEOUT].into_iter().chain(words.iter().map(String::as_str)).collect();
        command::run(program, &arguments)?;
    }
    Ok(())
}

/// Rules of a listing whose comment is `marker`, or begins with it where it names no cluster.
pub(super) fn marked(listing: &str, marker: &str) -> Vec<String> {
    let commented = |line: &&str| {
        let words = words(line);
        let comment = words.iter().skip_while(|word| *word != "--comment").nth(1);
        comment.is_some_and(|comment| comment == marker || (marker == names::MARKER && comment.starts_with(marker)))
    };
    listing.lines().filter(|line| line.starts_with("-A ")).filter(commented).map(str::to_owned).collect()
}

/// Whether the policy of the chain that forwarded packets come to is to drop them.
pub(super) fn policy_drops(listing: &str) -> bool {
    listing.lines().any(|line| line == "-P FORWARD DROP")
}

/// The chains of a listing as a packet meets them.
pub(super) fn chains(listing: &str, packet: Packet<'_>) -> Chains {
    let mut chains = Chains::new();
    for line in listing.lines() {
        let words = words(line);
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["-P" | "-N", chain, ..] => drop(chains.entry((*chain).to_owned()).or_default()),
            ["-A", chain, rest @ ..] => chains.entry((*chain).to_owned()).or_default().push(rule(rest, packet)),
            _ => {}
        }
    }
    chains
}

fn rule(words: &[&str], packet: Packet<'_>) -> Rule {
    let (mut comment, mut holds, mut negated) = (None, true, false);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if word == "!" {
            negated = true;
            continue;
        }
        let value = words.next().unwrap_or_default();
        holds &= match word {
            "-i" => packet.enters(value, negated),
            "-o" => packet.leaves(value, negated),
            "-m" => matches!(value, "comment" | "conntrack" | "state"),
            "--ctstate" | "--state" => packet.is_in(value.split(','), negated),
            "--comment" => {
                comment = Some(value.to_owned());
                true
            }
            // What follows are the target's own options.
            "-j" => return Rule { comment, effect: if holds { target(value) } else { Effect::Nothing } },
            "-g" => {
                return Rule { comment, effect: if holds { Effect::Goto(value.to_owned()) } else { Effect::Nothing } };
            }
            _ => false,
        };
        negated = false;
    }
    Rule { comment, effect: Effect::Nothing }
}

fn target(name: &str) -> Effect {
    match name {
        "ACCEPT" => Effect::Accept,
        "DROP" | "REJECT" => Effect::Drop,
        "RETURN" => Effect::Return,
        // Calling what is no chain, such as LOG, does nothing.
        other => Effect::Call(other.to_owned()),
    }
}

/// The words of a line, where quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for character in line.chars() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => {
                escaped = false;
                words.last_mut().into_iter().for_each(|word| word.push(other));
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::packet;
    use super::*;

    fn drops(listing: &str) -> bool {
        let policy = policy_drops(listing);
        Packet::of("kw-dev").into_iter().any(|packet| packet::drops(&chains(listing, packet), CHAIN, policy))
    }

    #[test]
    fn docker_ufw_and_red_hat_hosts_are_seen_to_drop() {
        let docker = "-P FORWARD DROP\n-N DOCKER\n-N DOCKER-FORWARD\n-N DOCKER-USER\n\
            -A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-FORWARD\n-A DOCKER ! -i docker0 -o docker0 -j DROP\n\
            -A DOCKER-FORWARD -j DOCKER\n-A DOCKER-FORWARD -i docker0 -j ACCEPT\n";
        assert!(drops(docker));
        let ufw = "-P FORWARD ACCEPT\n-N ufw-before-forward\n-N ufw-reject-forward\n-A FORWARD -j ufw-before-forward\n\
            -A FORWARD -j ufw-reject-forward\n-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
            -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable\n";
        assert!(drops(ufw));
        assert!(drops("-P FORWARD ACCEPT\n-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n"));
        assert!(drops(
            "-P FORWARD ACCEPT\n-A FORWARD -j LOG --log-prefix \"no: \"\n-A FORWARD -m comment --comment \"the rest\" -j DROP\n"
        ));
        assert!(drops("-P FORWARD ACCEPT\n-A FORWARD ! -i lan+ -j DROP\n"));
    }

    #[test]
    fn what_drops_only_others_packets_needs_no_opening() {
        assert!(!drops("-P FORWARD ACCEPT\n-A FORWARD -i x -j DROP\n-A FORWARD ! -i docker0 -o docker0 -j DROP\n"));
        assert!(!drops("-P FORWARD ACCEPT\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"));
        assert!(!drops("-P FORWARD DROP\n-A FORWARD -j ACCEPT\n"));
        assert!(!drops("-P FORWARD ACCEPT\n-A FORWARD -s 192.0.2.0/24 -j DROP\n"));
    }

    #[test]
    fn only_rules_with_exactly_our_comment_are_ours() {
        let listing = "-P FORWARD DROP\n\
            -A FORWARD -i kw-dev -m comment --comment \"kubewright:dev\" -j ACCEPT\n\
            -A FORWARD -i kw-dev2 -m comment --comment kubewright:dev2 -j ACCEPT\n\
            -A FORWARD -m comment --comment \"about --comment kubewright:dev\" -j ACCEPT\n\
            -A FORWARD -m comment --comment \"cali:x\" -j cali-FORWARD\n";
        assert_eq!(marked(listing, "kubewright:dev").len(), 1);
        assert_eq!(marked(listing, names::MARKER).len(), 2);
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(words(r#"-A x --comment "a \"b\" c" -j y"#), ["-A", "x", "--comment", "a \"b\" c", "-j", "y"]);
    }
}
