//! Taints of a node: ours are set and removed, those of Kubernetes and of people are kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The annotation in which we keep which taints are ours: the API has one list of them for everybody.
pub(crate) const ANNOTATION: &str = "kubewright.io/taints";

/// What tells taints apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaintKey {
    key: String,
    effect: String,
}

impl TaintKey {
    fn of(taint: &Value) -> Self {
        let text = |name| taint.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { key: text("key"), effect: text("effect") }
    }
}

/// The keys of a list of taints.
pub(crate) fn keys(taints: &Value) -> BTreeSet<TaintKey> {
    taints.as_array().into_iter().flatten().map(TaintKey::of).collect()
}

/// The text of [`ANNOTATION`] for these taints.
pub(crate) fn annotation(taints: &Value) -> String {
    let ours: Vec<String> = keys(taints).into_iter().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect();
    ours.join(",")
}

/// The keys that stand in an annotation.
pub(crate) fn annotated(text: &str) -> BTreeSet<TaintKey> {
    text.split(',')
        .filter_map(|taint| taint.rsplit_once(':'))
        .map(|(key, effect)| TaintKey { key: key.to_owned(), effect: effect.to_owned() })
        .collect()
}

/// The list of taints after ours (`managed`, old and new) have become the desired ones.
pub(crate) fn merged(live: &Value, desired: &Value, managed: &BTreeSet<TaintKey>) -> Vec<Value> {
    let wanted = keys(desired);
    let is_foreign = |taint: &&Value| {
        let key = TaintKey::of(taint);
        !managed.contains(&key) && !wanted.contains(&key)
    };
    let foreign = live.as_array().into_iter().flatten().filter(is_foreign).cloned();
    foreign.chain(desired.as_array().into_iter().flatten().map(plain)).collect()
}

/// Our live taints in the words of the desired ones, in their order where they are the same.
pub(crate) fn observed(live: &Value, desired: &Value, managed: &BTreeSet<TaintKey>) -> Vec<Value> {
    let wanted = keys(desired);
    let ours: Vec<&Value> = live
        .as_array()
        .into_iter()
        .flatten()
        .filter(|taint| managed.contains(&TaintKey::of(taint)) || wanted.contains(&TaintKey::of(taint)))
        .collect();
    let find =
        |list: &[&Value], taint: &Value| list.iter().position(|found| TaintKey::of(found) == TaintKey::of(taint));
    let desired: Vec<&Value> = desired.as_array().into_iter().flatten().collect();
    let mut listed: Vec<(usize, Value)> = ours
        .into_iter()
        .map(|taint| {
            let place = find(&desired, taint);
            let same = place.and_then(|place| desired.get(place)).filter(|wanted| plain(wanted) == plain(taint));
            (place.unwrap_or(usize::MAX), same.map_or_else(|| plain(taint), |wanted| (*wanted).clone()))
        })
        .collect();
    listed.sort_by_key(|(place, _)| *place);
    listed.into_iter().map(|(_, taint)| taint).collect()
}

/// A taint without an empty value and without the time that the API adds.
fn plain(taint: &Value) -> Value {
    let key = TaintKey::of(taint);
    match taint.get("value").and_then(Value::as_str) {
        Some(value) if !value.is_empty() => json!({"key": key.key, "value": value, "effect": key.effect}),
        _ => json!({"key": key.key, "effect": key.effect}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(key: &str, effect: &str) -> Value {
        json!({"key": key, "effect": effect})
    }

    #[test]
    fn foreign_taints_stay_and_dropped_ones_go() {
        let live = json!([
            taint("node.kubernetes.io/not-ready", "NoSchedule"),
            taint("old", "NoSchedule"),
            taint("kept", "NoExecute")
        ]);
        let desired = json!([{"key": "kept", "value": "x", "effect": "NoExecute"}, taint("new", "NoSchedule")]);
        let managed = keys(&json!([taint("old", "NoSchedule"), taint("kept", "NoExecute")]));
        assert_eq!(
            merged(&live, &desired, &managed),
            [
                taint("node.kubernetes.io/not-ready", "NoSchedule"),
                json!({"key": "kept", "value": "x", "effect": "NoExecute"}),
                taint("new", "NoSchedule"),
            ]
        );
    }

    #[test]
    fn what_agrees_is_seen_as_it_is_desired() {
        let live = json!([
            taint("foreign", "NoSchedule"),
            taint("b", "NoSchedule"),
            {"key": "a", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
        ]);
        let desired = json!([{"key": "a", "value": "", "effect": "NoExecute"}, taint("b", "NoSchedule")]);
        assert_eq!(json!(observed(&live, &desired, &BTreeSet::new())), desired);
    }

    #[test]
    fn what_is_no_longer_desired_is_seen() {
        let live = json!([taint("a", "NoSchedule"), taint("b", "NoSchedule")]);
        let managed = annotated(&annotation(&live));
        assert_eq!(managed, keys(&live));
        assert_eq!(
            json!(observed(&live, &json!([taint("b", "NoSchedule")]), &managed)),
            json!([taint("b", "NoSchedule"), taint("a", "NoSchedule")])
        );
    }
}
