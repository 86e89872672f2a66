//! Chains that somebody wrote in nftables' own language: those at the forward hook, and what is in them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::packet::{Chains, Effect, Packet, Rule};
use crate::{LocalError, command, names};

/// A chain at the forward hook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chain {
    pub(super) family: String,
    pub(super) table: String,
    pub(super) name: String,
    pub(super) policy_drops: bool,
}

impl Chain {
    /// Whether iptables' nft variant keeps its rules here: where its program is, nft must not write, or it refuses to.
    pub(super) fn is_iptables(&self) -> bool {
        self.family == "ip" && self.table == "filter" && self.name == super::iptables::CHAIN
    }

    /// Whether firewalld keeps its rules here.
    pub(super) fn is_firewalld(&self) -> bool {
        self.table == "firewalld"
    }

    /// Everything in its table.
    pub(super) fn listing(&self) -> Result<Value, LocalError> {
        command::json("nft", &["-j", "-a", "-t", "list", "table", &self.family, &self.table])
    }

    /// Lets everything from and to a bridge through, first of all.
    pub(super) fn open(&self, bridge: &str, marker: &str) -> Result<(), LocalError> {
        let Self { family, table, name, .. } = self;
        let rule = |field: &str| {
            format!("insert rule {family} {table} {name} {field} \"{bridge}\" accept comment \"{marker}\"\n")
        };
        command::feed("nft", &["-f", "-"], &format!("{}{}", rule("iifname"), rule("oifname"))).map(drop)
    }

    /// Removes the marked rules.
    pub(super) fn close(&self, marker: &str) -> Result<(), LocalError> {
        for (_, handle) in self.marked(&self.listing()?).into_iter().filter(|(comment, _)| comment == marker) {
            let Self { family, table, name, .. } = self;
            command::run("nft", &["delete", "rule", family, table, name, "handle", &handle.to_string()])?;
        }
        Ok(())
    }

    /// Comments and handles of the rules that carry kubewright's marker.
    pub(super) fn marked(&self, listing: &Value) -> Vec<(String, u64)> {
        let own = objects(listing, "rule").filter(|rule| text(rule, "chain") == self.name);
        let marked = own.filter(|rule| text(rule, "comment").starts_with(names::MARKER));
        marked.filter_map(|rule| Some((text(rule, "comment").to_owned(), rule.get("handle")?.as_u64()?))).collect()
    }
}

/// Chains at the forward hook that see IPv4, without our own.
pub(super) fn forward_chains() -> Result<BTreeSet<Chain>, LocalError> {
    Ok(read_forward_chains(&command::json("nft", &["-j", "list", "chains"])?))
}

fn read_forward_chains(listing: &Value) -> BTreeSet<Chain> {
    objects(listing, "chain")
        .filter(|chain| text(chain, "hook") == "forward" && matches!(text(chain, "family"), "ip" | "inet"))
        .filter(|chain| !text(chain, "table").starts_with(names::TABLE))
        .map(|chain| Chain {
            family: text(chain, "family").to_owned(),
            table: text(chain, "table").to_owned(),
            name: text(chain, "name").to_owned(),
            policy_drops: text(chain, "policy") == "drop",
        })
        .collect()
}

/// The chains of a table as a packet meets them.
pub(super) fn chains(listing: &Value, packet: Packet<'_>) -> Chains {
    let mut chains = Chains::new();
    for rule in objects(listing, "rule") {
        let comment = rule.get("comment").and_then(Value::as_str).map(str::to_owned);
        let expressions = rule.get("expr").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let rule_of_chain = Rule { comment, effect: effect(expressions, packet) };
        chains.entry(text(rule, "chain").to_owned()).or_default().push(rule_of_chain);
    }
    chains
}

/// The first verdict, where everything before it holds for the packet.
fn effect(expressions: &[Value], packet: Packet<'_>) -> Effect {
    for expression in expressions.iter().filter_map(Value::as_object).flatten() {
        let target = || expression.1.get("target").and_then(Value::as_str).unwrap_or_default().to_owned();
        match expression.0.as_str() {
            "accept" => return Effect::Accept,
            "drop" | "reject" => return Effect::Drop,
            "return" => return Effect::Return,
            "jump" => return Effect::Call(target()),
            "goto" => return Effect::Goto(target()),
            "counter" | "log" | "mangle" => {}
            "match" if holds(expression.1, packet) => {}
            // How nft shows what only iptables understands.
            "xt" if text(expression.1, "name") == "comment" => {}
            "xt" if text(expression.1, "name") == "REJECT" => return Effect::Drop,
            _ => return Effect::Nothing,
        }
    }
    Effect::Nothing
}

/// Whether a condition surely holds.
fn holds(condition: &Value, packet: Packet<'_>) -> bool {
    let negated = text(condition, "op") == "!=";
    let key = |of: &str| condition.pointer(&format!("/left/{of}/key")).and_then(Value::as_str);
    let Some(values) = condition.get("right").and_then(values) else { return false };
    match (key("meta"), key("ct")) {
        // One of several links: none of them may be the packet's where it is negated.
        (Some("iifname" | "iif"), _) if negated => values.iter().all(|link| packet.enters(link, true)),
        (Some("iifname" | "iif"), _) => values.iter().any(|link| packet.enters(link, false)),
        (Some("oifname" | "oif"), _) if negated => values.iter().all(|link| packet.leaves(link, true)),
        (Some("oifname" | "oif"), _) => values.iter().any(|link| packet.leaves(link, false)),
        (_, Some("state")) => packet.is_in(values.iter().copied(), negated),
        _ => false,
    }
}

/// The texts of a right side: one, a list, or a set without a name.
fn values(right: &Value) -> Option<Vec<&str>> {
    match right {
        Value::String(name) if name.starts_with('@') => None,
        Value::String(text) => Some(vec![text]),
        Value::Array(texts) => texts.iter().map(Value::as_str).collect(),
        other => values(other.get("set")?),
    }
}

fn objects<'a>(listing: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let objects = listing.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    objects.iter().filter_map(move |object| object.get(kind))
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::packet;
    use super::*;

    fn chain(family: &str, table: &str, name: &str, policy: &str) -> Value {
        json!({"chain": {"family": family, "table": table, "name": name, "hook": "forward", "policy": policy}})
    }

    fn drops(expressions: &Value) -> bool {
        let rule = json!({"rule": {"chain": "forward", "expr": expressions}});
        let listing = json!({"nftables": [{"metainfo": {}}, rule]});
        Packet::of("kw-dev").into_iter().any(|packet| packet::drops(&chains(&listing, packet), "forward", false))
    }

    #[test]
    fn chains_of_others_are_found_in_whichever_table_and_our_own_left_out() {
        let listed = json!({"nftables": [
            chain("ip", "filter", "FORWARD", "drop"),
            chain("inet", "filter", "forward", "drop"),
            chain("ip", "filter", "forward", "accept"),
            chain("inet", "firewalld", "filter_FORWARD", "accept"),
            chain("ip6", "filter", "FORWARD", "drop"),
            chain("inet", "kubewright-dev", "forward", "drop"),
        ]});
        let found = read_forward_chains(&listed);
        let shown: Vec<_> =
            found.iter().map(|chain| format!("{} {} {}", chain.family, chain.table, chain.name)).collect();
        assert_eq!(
            shown,
            ["inet filter forward", "inet firewalld filter_FORWARD", "ip filter FORWARD", "ip filter forward"]
        );
        let iptables: Vec<_> = found.iter().map(Chain::is_iptables).collect();
        assert_eq!(iptables, [false, false, true, false], "`inet filter` is not iptables'");
    }

    #[test]
    fn final_rules_drop_with_counters_logs_and_rejections_too() {
        let counter = json!({"counter": {"packets": 0, "bytes": 0}});
        assert!(drops(&json!([{"drop": null}])));
        assert!(drops(&json!([counter, {"log": {"prefix": "x"}}, {"drop": null}])));
        assert!(drops(&json!([counter, {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}])));
        assert!(drops(&json!([counter, {"xt": {"type": "target", "name": "REJECT"}}])));
        assert!(!drops(&json!([counter, {"xt": {"type": "target", "name": "LOG"}}])));
        assert!(!drops(&json!([{"limit": {"rate": 5}}, {"drop": null}])), "a limit drops some only");
    }

    #[test]
    fn conditions_are_held_against_the_bridges_packets() {
        let on = |op: &str, key: &str, right: &Value| json!([{"match": {"op": op, "left": {"meta": {"key": key}}, "right": right}}, {"drop": null}]);
        assert!(drops(&on("!=", "iifname", &json!("lan0"))));
        assert!(drops(&on("!=", "oifname", &json!({"set": ["lan0", "lan1"]}))));
        assert!(drops(&on("==", "iifname", &json!("kw-*"))));
        assert!(!drops(&on("==", "iifname", &json!("docker0"))));
        assert!(!drops(&on("!=", "iifname", &json!({"set": ["lan0", "kw-dev"]}))));
        assert!(!drops(&on("!=", "iifname", &json!("@trusted"))), "what is in a named set is not known");
        let state = |right: Value| json!([{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": right}}, {"drop": null}]);
        assert!(drops(&state(json!(["new", "untracked"]))));
        assert!(!drops(&state(json!("invalid"))));
    }

    #[test]
    fn marked_rules_are_found_by_comment_and_chain() {
        let rule = |chain: &str, comment: &str, handle: u64| json!({"rule": {"chain": chain, "comment": comment, "handle": handle}});
        let listing = json!({"nftables": [
            rule("forward", "kubewright:dev", 4), rule("input", "kubewright:dev", 5), rule("forward", "other", 6),
        ]});
        let chain = Chain { family: "inet".into(), table: "filter".into(), name: "forward".into(), policy_drops: true };
        assert_eq!(chain.marked(&listing), [("kubewright:dev".to_owned(), 4)]);
    }
}
