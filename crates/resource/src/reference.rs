//! References from one resource's inputs to another resource's outputs.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::ResourceId;

/// A reference to an output of another resource; stands in JSON as `{"$ref": "kind/name#output"}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Whose output.
    pub resource: ResourceId,
    /// Which output.
    pub output: String,
}

impl Reference {
    /// Refers to `output` of `resource`.
    pub fn new(resource: ResourceId, output: &str) -> Self {
        Self { resource, output: output.to_owned() }
    }

    /// The marker object.
    pub fn to_value(&self) -> Value {
        json!({"$ref": self.to_string()})
    }

    /// Reads a marker object; `None` where `value` is something else.
    pub fn from_value(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        if object.len() != 1 {
            return None;
        }
        let (resource, output) = object.get("$ref")?.as_str()?.rsplit_once('#')?;
        Some(Self { resource: resource.parse().ok()?, output: output.to_owned() })
    }
}

impl fmt::Display for Reference {
    /// `kind/name#output`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.resource, self.output)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).ok_or_else(|| D::Error::custom("expected a reference"))
    }
}

/// All references inside `value`, in document order.
pub fn find_references(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Reference>) {
    if let Some(reference) = Reference::from_value(value) {
        found.push(reference);
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_at_any_depth_and_survive_json() {
        let reference = Reference::new(ResourceId::new("certificate", "cp-1/apiserver"), "key");
        let value = json!({"files": [{"content": reference}], "plain": "x"});
        assert_eq!(find_references(&value), vec![reference]);
    }
}
