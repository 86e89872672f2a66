//! YAML texts with keys in alphabetical order, as kubeadm writes them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Error;

/// Writes a document as YAML, keys in alphabetical order at every depth.
pub fn to_text(document: &Value) -> Result<String, Error> {
    resource::yaml::to_text(&sorted(document)).map_err(|source| Error::Yaml { document: name_of(document), source })
}

/// Writes several documents into one text, separated by `---`.
pub fn to_texts<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Result<String, Error> {
    let texts = documents.into_iter().map(to_text).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.join("---\n"))
}

/// Writes a document as indented JSON, keys in alphabetical order at every depth.
pub(crate) fn to_json_text(document: &Value, name: &str) -> Result<String, Error> {
    serde_json::to_string_pretty(&sorted(document))
        .map(|text| text + "\n")
        .map_err(|source| Error::Json { document: name.to_owned(), source })
}

/// Turns a typed document into a value.
pub fn to_value(document: &impl Serialize, name: &str) -> Result<Value, Error> {
    serde_json::to_value(document).map_err(|source| Error::Json { document: name.to_owned(), source })
}

/// Writes a typed document as YAML, keys in alphabetical order.
pub fn typed_to_text(document: &impl Serialize, name: &str) -> Result<String, Error> {
    to_text(&to_value(document, name)?)
}

/// Lays `layer` over `base`: objects are merged key by key, everything else (lists too) is replaced, null removes.
pub fn merge(base: &mut Value, layer: &Value) {
    let (Value::Object(fields), Value::Object(layer)) = (&mut *base, layer) else {
        layer.clone_into(base);
        return;
    };
    for (key, value) in layer {
        if value.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// A map of serde_json keeps insertion order if any crate of the build asks for it, so order is made here.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut entries: Vec<_> = fields.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn name_of(document: &Value) -> String {
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/kind"), text("/metadata/name")).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{merge, to_text};

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let text = to_text(&json!({"b": [{"z": 1, "a": 2}], "a": "{{nodeIP}}"})).unwrap();
        assert_eq!(text, "a: '{{nodeIP}}'\nb:\n- a: 2\n  z: 1\n");
    }

    #[test]
    fn a_layer_replaces_lists_merges_objects_and_removes_by_null() {
        let mut base = json!({"a": {"x": 1, "y": 2}, "list": [1, 2], "gone": true});
        merge(&mut base, &json!({"a": {"y": 3}, "list": [9], "gone": null, "new": {"k": "v"}}));
        assert_eq!(base, json!({"a": {"x": 1, "y": 3}, "list": [9], "new": {"k": "v"}}));
    }
}
