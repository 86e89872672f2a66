//! Looking into rendered YAML.

use serde_json::Value;

/// The documents of a YAML text.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    use serde::Deserialize as _;
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

/// The single document of a YAML text.
pub(crate) fn document(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The object of a kind and name.
pub(crate) fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(is).unwrap_or(&Value::Null)
}

/// `kind namespace/name`.
pub(crate) fn id(object: &Value) -> String {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!("{} {}/{}", text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
}

/// Calls `visit` with every object in a tree and its path.
pub(crate) fn walk(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, field)| walk(field, &format!("{path}/{key}"), visit)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{path}/{index}"), visit));
        }
        _ => {}
    }
}

/// A text list of a document.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
