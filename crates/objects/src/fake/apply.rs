//! Server-side apply and merge patches, for objects whose lists are owned as one.

use serde_json::{Map, Value, json};

/// Merges `patch` into `target` as RFC 7386 says.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

/// The live object after `applied` was applied with force by manager kubewright.
pub(crate) fn server_side_apply(live: Option<Value>, applied: Value) -> Value {
    let mut object = live.unwrap_or_else(|| json!({}));
    let owned = fields_of(&applied, true);
    let mut managed = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let before = managed.iter().position(|entry| entry["manager"] == "kubewright" && entry["operation"] == "Apply");
    if let Some(index) = before {
        let entry = managed.remove(index);
        drop_fields(&mut object, &entry["fieldsV1"], &owned);
    }
    merge(&mut object, &applied);
    managed.push(json!({"manager": "kubewright", "operation": "Apply", "fieldsV1": owned}));
    object["metadata"]["managedFields"] = json!(managed);
    object
}

fn fields_of(value: &Value, is_root: bool) -> Value {
    let Value::Object(fields) = value else { return json!({}) };
    let mut owned = Map::new();
    for (name, value) in fields {
        if is_root && (name == "apiVersion" || name == "kind") {
            continue;
        }
        let mut below = fields_of(value, false);
        if let (true, "metadata", Value::Object(metadata)) = (is_root, name.as_str(), &mut below) {
            metadata.retain(|name, _| name != "f:name" && name != "f:namespace");
            if metadata.is_empty() {
                continue;
            }
        }
        owned.insert(format!("f:{name}"), below);
    }
    Value::Object(owned)
}

fn drop_fields(object: &mut Value, before: &Value, after: &Value) {
    for (name, below) in before.as_object().into_iter().flatten() {
        let field = name.trim_start_matches("f:");
        match after.get(name) {
            Some(after) => drop_fields(&mut object[field], below, after),
            None => {
                object.as_object_mut().unwrap().remove(field);
            }
        }
    }
}
