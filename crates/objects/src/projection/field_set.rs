//! The set of fields that a manager owns, as the API server keeps it in `metadata.managedFields`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::request::MANAGER;

/// A tree of owned fields (`fieldsV1` of a managed fields entry).
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FieldSet {
    /// Fields of an object, by name (`f:`).
    pub(crate) fields: BTreeMap<String, FieldSet>,
    /// Items of a list of objects, by their key fields (`k:`).
    pub(crate) items: Vec<(Map<String, Value>, FieldSet)>,
    /// Members of a list that is a set (`v:`).
    pub(crate) values: Vec<Value>,
    /// Items of a list, by position (`i:`).
    positions: Vec<usize>,
}

impl FieldSet {
    /// Reads `fieldsV1`.
    pub(crate) fn parse(fields: &Value) -> Self {
        let mut set = Self::default();
        set.absorb(fields);
        set
    }

    /// What we own by server-side apply, and what everybody else owns.
    pub(crate) fn of_object(object: &Value) -> (Self, Self) {
        let (mut ours, mut others) = (Self::default(), Self::default());
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
            let is_ours = text("manager") == MANAGER && text("operation") == "Apply" && text("subresource").is_empty();
            let set = if is_ours { &mut ours } else { &mut others };
            if let Some(fields) = entry.get("fieldsV1") {
                set.absorb(fields);
            }
        }
        (ours, others)
    }

    /// Whether it stands for a whole value: a scalar, or an object or list that is owned as one.
    pub(crate) fn is_leaf(&self) -> bool {
        self.fields.is_empty() && self.items.is_empty() && self.values.is_empty() && self.positions.is_empty()
    }

    /// Names of the fields that tell the items of a list apart; `None` where no item is owned by its key.
    pub(crate) fn key_names(&self) -> Option<Vec<&str>> {
        self.items.first().map(|(key, _)| key.keys().map(String::as_str).collect())
    }

    /// The set of the list item that has these key fields.
    pub(crate) fn item(&self, item: &Value) -> Option<&Self> {
        self.items
            .iter()
            .find(|(key, _)| key.iter().all(|(name, value)| item.get(name) == Some(value)))
            .map(|(_, set)| set)
    }

    fn absorb(&mut self, fields: &Value) {
        let Value::Object(fields) = fields else { return };
        for (name, below) in fields {
            match name.split_once(':') {
                Some(("f", field)) => self.fields.entry(field.to_owned()).or_default().absorb(below),
                Some(("k", key)) => self.absorb_item(key, below),
                Some(("v", value)) => self.values.extend(serde_json::from_str::<Value>(value)),
                Some(("i", position)) => self.positions.extend(position.parse::<usize>()),
                // `.` says that the object itself is owned, which follows from its children too.
                _ => {}
            }
        }
    }

    fn absorb_item(&mut self, key: &str, below: &Value) {
        let Ok(key) = serde_json::from_str::<Map<String, Value>>(key) else { return };
        if let Some((_, set)) = self.items.iter_mut().find(|(known, _)| *known == key) {
            set.absorb(below);
        } else {
            self.items.push((key, Self::parse(below)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_path_element_is_read() {
        let set = FieldSet::parse(&json!({
            "f:metadata": {"f:labels": {".": {}, "f:a.b/c:d": {}}, "f:finalizers": {"v:\"x/y\"": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:list": {"i:3": {}}},
        }));
        assert!(set.fields["metadata"].fields["labels"].fields["a.b/c:d"].is_leaf());
        assert_eq!(set.fields["metadata"].fields["finalizers"].values, [json!("x/y")]);
        let ports = &set.fields["spec"].fields["ports"];
        assert_eq!(ports.key_names().unwrap(), ["port", "protocol"]);
        assert!(ports.item(&json!({"port": 80, "protocol": "TCP", "name": "web"})).is_some());
        assert!(ports.item(&json!({"port": 80, "protocol": "UDP"})).is_none());
        assert!(!set.fields["spec"].fields["list"].is_leaf());
    }

    #[test]
    fn only_what_we_applied_is_ours() {
        let entry = |manager: &str, operation: &str, subresource: &str, field: &str| json!({"manager": manager, "operation": operation, "subresource": subresource, "fieldsV1": {field: {}}});
        let object = json!({"metadata": {"managedFields": [
            entry("kubewright", "Apply", "", "f:a"),
            entry("kubewright", "Update", "", "f:b"),
            entry("kubewright", "Apply", "status", "f:c"),
            entry("kubectl", "Apply", "", "f:d"),
        ]}});
        let (ours, others) = FieldSet::of_object(&object);
        assert_eq!(ours.fields.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(others.fields.keys().collect::<Vec<_>>(), ["b", "c", "d"]);
    }
}
