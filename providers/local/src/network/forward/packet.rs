//! Where a packet of a bridge ends in a firewall's chains. Pure.

use std::collections::BTreeMap;

use crate::names;

/// A chain may call another; more than this is a loop that no kernel takes.
const DEPTH: usize = 16;

/// The first packet of a connection that a machine opens to the outside, or the answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    bridge: &'a str,
    answers: bool,
}

/// What a rule does to one packet. What cannot be told of it counts as nothing: then a firewall is opened once too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Accept,
    /// Drops or rejects it.
    Drop,
    Return,
    Call(String),
    Goto(String),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) comment: Option<String>,
    pub(super) effect: Effect,
}

/// The chains of one table, by name.
pub(super) type Chains = BTreeMap<String, Vec<Rule>>;

impl<'a> Packet<'a> {
    /// The packets that must pass for machines to reach the outside.
    pub(super) fn of(bridge: &'a str) -> [Self; 2] {
        [false, true].map(|answers| Self { bridge, answers })
    }

    /// Whether it surely enters through a link of this name, which may end in a wildcard.
    pub(super) fn enters(self, pattern: &str, negated: bool) -> bool {
        !self.answers && matches(pattern, self.bridge) != negated
    }

    /// Whether it surely leaves through a link of this name.
    pub(super) fn leaves(self, pattern: &str, negated: bool) -> bool {
        self.answers && matches(pattern, self.bridge) != negated
    }

    /// Whether its connection is in one of the states.
    pub(super) fn is_in<'s>(self, mut states: impl Iterator<Item = &'s str>, negated: bool) -> bool {
        let own = if self.answers { "established" } else { "new" };
        states.any(|state| state.eq_ignore_ascii_case(own)) != negated
    }
}

fn matches(pattern: &str, link: &str) -> bool {
    match pattern.strip_suffix(['*', '+']) {
        Some(beginning) => link.starts_with(beginning),
        None => pattern == link,
    }
}

/// Whether a chain ends in dropping: by a rule that our packet comes to, or by its policy. Rules of ours are passed over.
pub(super) fn drops(chains: &Chains, name: &str, policy_drops: bool) -> bool {
    let end = end(chains, name, 0).filter(|end| *end != Effect::Return);
    end.map_or(policy_drops, |end| end == Effect::Drop)
}

fn end(chains: &Chains, name: &str, depth: usize) -> Option<Effect> {
    let others = chains.get(name)?.iter().filter(|rule| !is_ours(rule));
    others.map(|rule| effect(chains, rule, depth)).find(|effect| *effect != Effect::Nothing)
}

/// What a rule does in the end, with the chains that it calls.
fn effect(chains: &Chains, rule: &Rule, depth: usize) -> Effect {
    let (called, comes_back) = match &rule.effect {
        Effect::Call(called) => (called, true),
        Effect::Goto(called) => (called, false),
        other => return other.clone(),
    };
    let end = if depth < DEPTH { end(chains, called, depth + 1) } else { None };
    match end {
        Some(end @ (Effect::Accept | Effect::Drop)) => end,
        _ if comes_back => Effect::Nothing,
        _ => Effect::Return,
    }
}

fn is_ours(rule: &Rule) -> bool {
    rule.comment.as_deref().is_some_and(|comment| comment.starts_with(names::MARKER))
}

/// Whether both marked rules are in a chain, before everything that ends our packets.
pub(super) fn is_opened(chains: &Chains, name: &str, marker: &str) -> bool {
    let rules = chains.get(name).map(Vec::as_slice).unwrap_or_default();
    let before = rules.iter().take_while(|rule| is_ours(rule) || effect(chains, rule, 0) == Effect::Nothing);
    before.filter(|rule| rule.comment.as_deref() == Some(marker)).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(effect: Effect) -> Rule {
        Rule { comment: None, effect }
    }

    fn ours() -> Rule {
        Rule { comment: Some("kubewright:dev".into()), effect: Effect::Accept }
    }

    fn chains(list: &[(&str, &[Rule])]) -> Chains {
        list.iter().map(|(name, rules)| ((*name).to_owned(), rules.to_vec())).collect()
    }

    #[test]
    fn a_final_drop_counts_as_much_as_a_policy_and_an_earlier_accept_more() {
        let with = |rules: &[Rule], policy| drops(&chains(&[("forward", rules)]), "forward", policy);
        assert!(with(&[], true) && !with(&[], false));
        assert!(with(&[rule(Effect::Nothing), rule(Effect::Drop)], false));
        assert!(!with(&[rule(Effect::Accept), rule(Effect::Drop)], true));
        assert!(with(&[rule(Effect::Return), rule(Effect::Accept)], true));
        assert!(with(&[ours(), rule(Effect::Drop)], false), "what we added does not change what the others want");
    }

    #[test]
    fn called_chains_are_followed_and_loops_end() {
        let call = |name: &str| rule(Effect::Call(name.into()));
        let goto = |name: &str| rule(Effect::Goto(name.into()));
        let rejecting =
            chains(&[("forward", &[call("empty"), call("reject")]), ("empty", &[]), ("reject", &[rule(Effect::Drop)])]);
        assert!(drops(&rejecting, "forward", false));
        let gone = chains(&[("forward", &[goto("empty"), rule(Effect::Drop)]), ("empty", &[])]);
        assert!(!drops(&gone, "forward", false), "a goto does not come back");
        assert!(drops(&chains(&[("forward", &[call("forward")])]), "forward", true));
    }

    #[test]
    fn marked_rules_open_a_chain_only_before_what_drops() {
        let opened = |rules: &[Rule]| is_opened(&chains(&[("forward", rules)]), "forward", "kubewright:dev");
        assert!(opened(&[ours(), ours(), rule(Effect::Drop)]));
        assert!(!opened(&[rule(Effect::Drop), ours(), ours()]));
        assert!(!opened(&[ours(), rule(Effect::Drop)]));
    }
}
