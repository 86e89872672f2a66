//! Field by field comparison of two JSON values under a kind's schema.

use std::collections::BTreeSet;

use resource::{Behaviour, FieldChange, KindSchema};
use serde_json::Value;

/// The fields in which `after` differs from `before`, in path order.
///
/// Fields that are computed or used only at creation are left out; unordered lists compare as sets; equivalent values
/// (by the schema's own word) do not differ.
pub fn field_changes(schema: &KindSchema, before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(schema, &mut Vec::new(), Some(before), Some(after), &mut changes);
    changes
}

fn walk(
    schema: &KindSchema,
    path: &mut Vec<String>,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    if before == after {
        return;
    }
    let behaviour = schema.behaviour(path);
    match behaviour {
        Some(Behaviour::Computed | Behaviour::CreateOnly) => return,
        Some(Behaviour::Unordered) if same_members(before, after) => return,
        Some(Behaviour::Equivalent(same)) if both(before, after).is_some_and(|(one, other)| same(one, other)) => return,
        _ => {}
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                path.push(key.clone());
                walk(schema, path, old.get(key), new.get(key), changes);
                path.pop();
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() && is_nested(old) => {
            for (index, (one, other)) in old.iter().zip(new).enumerate() {
                path.push(index.to_string());
                walk(schema, path, Some(one), Some(other), changes);
                path.pop();
            }
        }
        _ => changes.push(FieldChange {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            secret: matches!(behaviour, Some(Behaviour::Secret)),
            known_after_apply: false,
            changed_by: None,
        }),
    }
}

fn both<'a>(before: Option<&'a Value>, after: Option<&'a Value>) -> Option<(&'a Value, &'a Value)> {
    Some((before?, after?))
}

fn is_nested(items: &[Value]) -> bool {
    items.iter().all(Value::is_object)
}

/// Whether both are lists (a missing one is empty) of the same items. What is below an unordered list is none.
fn same_members(before: Option<&Value>, after: Option<&Value>) -> bool {
    fn sorted(value: Option<&Value>) -> Option<Vec<String>> {
        let mut items: Vec<String> = match value {
            None => Vec::new(),
            Some(value) => value.as_array()?.iter().map(Value::to_string).collect(),
        };
        items.sort_unstable();
        Some(items)
    }
    sorted(before).is_some_and(|items| sorted(after).is_some_and(|others| items == others))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: &KindSchema, before: Value, after: Value, paths: &[&str]) {
        let found: Vec<String> =
            field_changes(schema, &before, &after).iter().map(|change| change.path.join(".")).collect();
        assert_eq!(found, paths);
    }

    #[test]
    fn equal_values_have_no_changes() {
        check(&KindSchema::plain("x"), json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 2}]}), &[]);
    }

    #[test]
    fn only_the_fields_that_differ_are_named() {
        check(
            &KindSchema::plain("x"),
            json!({"a": {"same": 1, "old": 2}, "list": [{"n": 1}, {"n": 2}]}),
            json!({"a": {"same": 1, "new": 2}, "list": [{"n": 1}, {"n": 3}]}),
            &["a.new", "a.old", "list.1.n"],
        );
    }

    #[test]
    fn a_field_of_an_item_of_an_unordered_list_differs() {
        let schema = KindSchema::plain("x").rule("set", Behaviour::Unordered);
        let item = |asset: &str| json!({"asset": asset, "target": "/usr/bin/kubelet"});
        check(&schema, json!({"set": [item("a")]}), json!({"set": [item("b")]}), &["set.0.asset"]);
        check(&schema, json!({"set": []}), json!({"set": "text"}), &["set"]);
        check(&schema, json!({}), json!({"set": []}), &[]);
        check(&schema, json!({"set": [item("a"), item("b")]}), json!({"set": [item("b"), item("a")]}), &[]);
    }

    #[test]
    fn rules_of_the_schema_hold_below_their_path() {
        let schema =
            KindSchema::plain("x").rule("computed", Behaviour::Computed).rule("set", Behaviour::Unordered).rule(
                "size",
                Behaviour::Equivalent(|one, other| one.as_str().map(str::len) == other.as_str().map(str::len)),
            );
        check(
            &schema,
            json!({"computed": {"deep": 1}, "set": ["a", "b"], "size": "1Gi", "plain": 1}),
            json!({"computed": {"deep": 2}, "set": ["b", "a"], "size": "2Gi", "plain": 2}),
            &["plain"],
        );
    }
}
