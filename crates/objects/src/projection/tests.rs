//! Projections of live objects onto what is ours and what is desired.

use std::collections::BTreeMap;

use proptest::prelude::*;
use resource::{ResourceId, Secret};
use serde_json::json;

use super::*;
use crate::fake::apply::server_side_apply;

fn resolve(reference: &Reference) -> Option<Output> {
    match reference.output.as_str() {
        "certificate" => Some(Output::Public(json!("CERT"))),
        "key" => Some(Output::Secret(Secret::new("hunter2"))),
        _ => None,
    }
}

fn reference(output: &str) -> Value {
    Reference::new(ResourceId::new("certificate", "x"), output).to_value()
}

fn project(live: &Value, desired: &Value, recorded: Option<&Value>) -> Value {
    let projector = Projector { resolve: &resolve, mask: &|_| "hmac:x".to_owned() };
    projector.project(live, Some(desired), recorded)
}

/// A live object of which `ours` is owned by us and `others` by somebody else.
fn live(mut object: Value, ours: Value, others: Value) -> Value {
    object["apiVersion"] = json!("v1");
    object["kind"] = object.get("kind").cloned().unwrap_or(json!("Thing"));
    object["metadata"]["name"] = json!("x");
    object["metadata"]["managedFields"] = json!([
        {"manager": "kubewright", "operation": "Apply", "fieldsV1": ours},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": others},
    ]);
    object
}

fn desired(mut object: Value) -> Value {
    object["apiVersion"] = json!("v1");
    object["kind"] = object.get("kind").cloned().unwrap_or(json!("Thing"));
    object["metadata"]["name"] = json!("x");
    object
}

/// A manager without fields in the spec does not own the spec as one.
fn owned_spec(fields: Value) -> Value {
    if fields == json!({}) { fields } else { json!({"f:spec": fields}) }
}

/// The projection of a spec, without the rest of the object.
fn spec(live_spec: Value, ours: Value, others: Value, wanted: Value) -> Value {
    let live = live(json!({"spec": live_spec}), owned_spec(ours), owned_spec(others));
    project(&live, &desired(json!({"spec": wanted})), None)["spec"].clone()
}

fn agrees(live_spec: Value, ours: Value, wanted: Value) {
    assert_eq!(spec(live_spec, ours, json!({}), wanted.clone()), wanted);
}

#[test]
fn defaults_and_fields_of_others_are_left_out() {
    agrees(
        json!({"a": 1, "defaulted": 2, "nested": {"b": 3, "c": 4}}),
        json!({"f:a": {}, "f:nested": {"f:b": {}}}),
        json!({"a": 1, "nested": {"b": 3}}),
    );
}

#[test]
fn a_field_changed_by_others_shows_its_live_value() {
    let seen = spec(json!({"a": 2}), json!({}), json!({"f:a": {}}), json!({"a": 1}));
    assert_eq!(seen, json!({"a": 2}));
}

#[test]
fn a_field_removed_by_others_is_missing() {
    assert_eq!(spec(json!({}), json!({}), json!({}), json!({"a": 1, "b": "", "c": {}})), json!({}));
}

#[test]
fn a_field_that_is_ours_and_no_longer_wanted_is_shown() {
    assert_eq!(
        spec(json!({"a": 1, "b": 2}), json!({"f:a": {}, "f:b": {}}), json!({}), json!({"a": 1})),
        json!({"a": 1, "b": 2})
    );
    assert_eq!(
        spec(json!({"a": 1, "b": {}}), json!({"f:a": {}, "f:b": {}}), json!({}), json!({"a": 1})),
        json!({"a": 1, "b": {}})
    );
    assert_eq!(
        spec(
            json!({"a": 1, "b": {"x": 1}}),
            json!({"f:a": {}, "f:b": {".": {}, "f:y": {}}}),
            json!({}),
            json!({"a": 1})
        ),
        json!({"a": 1})
    );
}

#[test]
fn empty_values_that_the_server_drops_agree_while_they_are_ours() {
    let wanted = json!({"a": false, "b": "", "c": 0, "d": {}, "e": [], "f": null, "g": {"h": false}});
    let ours = json!({"f:a": {}, "f:b": {}, "f:c": {}, "f:d": {}, "f:e": {}, "f:g": {"f:h": {}}});
    agrees(json!({}), ours, wanted);
}

#[test]
fn a_null_asks_for_nothing() {
    agrees(json!({"a": 1, "b": {"c": 1}, "d": [1]}), json!({}), json!({"a": null, "b": null, "d": null}));
}

#[test]
fn an_empty_object_agrees_with_one_that_was_filled_with_defaults() {
    agrees(json!({"strategy": {"type": "RollingUpdate"}}), json!({"f:strategy": {}}), json!({"strategy": {}}));
    let filled = spec(json!({"s": {"x": 1}}), json!({}), json!({"f:s": {"f:x": {}}}), json!({"s": {}}));
    assert_eq!(filled, json!({"s": {}}));
}

#[test]
fn an_object_owned_as_one_counts_with_all_its_fields_when_others_set_it() {
    let seen = spec(
        json!({"selector": {"a": "1", "b": "2"}}),
        json!({}),
        json!({"f:selector": {}}),
        json!({"selector": {"a": "1"}}),
    );
    assert_eq!(seen, json!({"selector": {"a": "1", "b": "2"}}));
}

#[test]
fn defaults_inside_a_list_owned_as_one_are_left_out() {
    let subjects = json!([{"kind": "Group", "name": "g", "apiGroup": "rbac.authorization.k8s.io"}]);
    agrees(
        json!({"subjects": subjects}),
        json!({"f:subjects": {}}),
        json!({"subjects": [{"kind": "Group", "name": "g"}]}),
    );
}

#[test]
fn a_field_dropped_inside_a_list_owned_as_one_is_shown() {
    let live = live(
        json!({"subjects": [{"name": "g", "namespace": "n", "defaulted": 1}]}),
        json!({"f:subjects": {}}),
        json!({}),
    );
    let (before, after) = (
        desired(json!({"subjects": [{"name": "g", "namespace": "n"}]})),
        desired(json!({"subjects": [{"name": "g"}]})),
    );
    assert_eq!(project(&live, &before, Some(&before)), before);
    assert_eq!(project(&live, &after, Some(&before)), before);
}

#[test]
fn lists_owned_as_one_keep_their_order_and_length() {
    let seen = spec(json!({"args": ["b", "a"]}), json!({"f:args": {}}), json!({}), json!({"args": ["a", "b"]}));
    assert_eq!(seen, json!({"args": ["b", "a"]}));
    let seen = spec(json!({"args": ["a"]}), json!({"f:args": {}}), json!({}), json!({"args": ["a", "b"]}));
    assert_eq!(seen, json!({"args": ["a"]}));
}

#[test]
fn items_are_found_by_their_keys() {
    let ours = json!({"f:ports": {
        "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:port": {}, "f:protocol": {}},
        "k:{\"port\":53,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
    }});
    let live = json!({"ports": [
        {"port": 53, "protocol": "UDP", "targetPort": 53},
        {"port": 53, "protocol": "TCP", "targetPort": 53},
        {"port": 99, "protocol": "TCP", "targetPort": 99},
    ]});
    agrees(live, ours, json!({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}));
}

#[test]
fn an_item_of_ours_that_is_no_longer_wanted_is_shown_and_a_foreign_one_is_not() {
    let ours = json!({"f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}, "k:{\"name\":\"B\"}": {".": {}, "f:name": {}}}});
    let others = json!({"f:env": {"k:{\"name\":\"C\"}": {".": {}, "f:name": {}}}});
    let live = json!({"env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "C"}]});
    let seen = spec(live, ours, others, json!({"env": [{"name": "A", "value": "1"}]}));
    assert_eq!(seen, json!({"env": [{"name": "A", "value": "1"}, {"name": "B"}]}));
}

#[test]
fn a_desired_item_taken_over_by_others_shows_its_live_value() {
    let others = json!({"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {}}}});
    let seen = spec(
        json!({"containers": [{"name": "c", "image": "new"}]}),
        json!({}),
        others,
        json!({"containers": [{"name": "c", "image": "old"}]}),
    );
    assert_eq!(seen, json!({"containers": [{"name": "c", "image": "new"}]}));
}

#[test]
fn sets_agree_in_any_order() {
    let ours = json!({"f:finalizers": {"v:\"a\"": {}, "v:\"b\"": {}}});
    agrees(json!({"finalizers": ["foreign", "b", "a"]}), ours.clone(), json!({"finalizers": ["a", "b"]}));
    let seen = spec(json!({"finalizers": ["b", "a"]}), ours, json!({}), json!({"finalizers": ["a"]}));
    assert_eq!(seen, json!({"finalizers": ["b", "a"]}));
}

#[test]
fn quantities_keep_the_desired_spelling_only_where_quantities_stand() {
    let ours = json!({"f:resources": {"f:limits": {"f:cpu": {}}}, "f:labels": {"f:cpu": {}}});
    let live = json!({"resources": {"limits": {"cpu": "1"}}, "labels": {"cpu": "1"}});
    let seen =
        spec(live, ours, json!({}), json!({"resources": {"limits": {"cpu": "1000m"}}, "labels": {"cpu": "1000m"}}));
    assert_eq!(seen, json!({"resources": {"limits": {"cpu": "1000m"}}, "labels": {"cpu": "1"}}));
}

#[test]
fn status_is_nobodys_wish() {
    let live = live(json!({"status": {"phase": "Active"}}), json!({"f:status": {"f:phase": {}}}), json!({}));
    let wanted = desired(json!({"status": {}}));
    assert_eq!(project(&live, &wanted, None), wanted);
    assert_eq!(project(&live, &desired(json!({})), None), desired(json!({})));
}

#[test]
fn references_stand_as_long_as_the_live_value_is_theirs() {
    let ours = json!({"f:data": {"f:ca": {}, "f:key": {}}});
    let wanted = desired(json!({"data": {"ca": reference("certificate"), "key": reference("key")}}));
    let same = live(json!({"data": {"ca": "CERT", "key": "hunter2"}}), ours.clone(), json!({}));
    assert_eq!(project(&same, &wanted, None), wanted);
    let other = live(json!({"data": {"ca": "OLD", "key": "hunter3"}}), ours, json!({}));
    assert_eq!(project(&other, &wanted, None)["data"], json!({"ca": "OLD", "key": "hmac:x"}));
}

fn secret(data: Value) -> Value {
    let fields: BTreeMap<String, Value> =
        data.as_object().unwrap().keys().map(|name| (format!("f:{name}"), json!({}))).collect();
    live(json!({"kind": "Secret", "data": data, "type": "Opaque"}), json!({"f:data": fields}), json!({}))
}

#[test]
fn a_secret_agrees_in_text_and_in_base64() {
    let wanted =
        desired(json!({"kind": "Secret", "stringData": {"a": "x", "k": reference("key")}, "data": {"b": "eQ=="}}));
    assert_eq!(project(&secret(json!({"a": "eA==", "k": "aHVudGVyMg==", "b": "eQ=="})), &wanted, None), wanted);
}

#[test]
fn a_secrets_content_is_never_shown() {
    let wanted = desired(json!({"kind": "Secret", "stringData": {"a": "x"}, "data": {"b": "eQ=="}}));
    let seen = project(&secret(json!({"a": "eg==", "b": "eg==", "c": "eg=="})), &wanted, None);
    assert_eq!(seen["stringData"], json!({"a": "hmac:x"}));
    assert_eq!(seen["data"], json!({"b": "hmac:x", "c": "hmac:x"}));
}

#[test]
fn a_secrets_text_is_applied_as_data() {
    let manifest = with_encoded_data(json!({"kind": "Secret", "stringData": {"a": "x"}, "data": {"b": "eQ=="}}));
    assert_eq!(manifest, json!({"kind": "Secret", "data": {"a": "eA==", "b": "eQ=="}}));
    let other = json!({"kind": "ConfigMap", "stringData": {}});
    assert_eq!(with_encoded_data(other.clone()), other);
}

/// Any JSON that a spec may hold, with empty and null values at any depth.
fn anything() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone().prop_filter("lists hold no nulls", |item| !item.is_null()), 0..4)
                .prop_map(Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn what_was_applied_projects_to_itself(wish in anything()) {
        let wanted = desired(json!({"spec": {"x": wish}}));
        let live = server_side_apply(None, wanted.clone());
        prop_assert_eq!(project(&live, &wanted, Some(&wanted)), wanted);
    }

    #[test]
    fn what_was_applied_later_projects_to_itself(first in anything(), second in anything()) {
        let (before, after) = (desired(json!({"spec": {"x": first}})), desired(json!({"spec": {"x": second}})));
        let live = server_side_apply(Some(server_side_apply(None, before.clone())), after.clone());
        prop_assert_eq!(project(&live, &after, Some(&after)), after);
    }
}
