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
    walk(value, &mut |value| take(value, &mut found));
    found
}

/// Adds a reference to those that were found; whether it is one.
pub(crate) fn take(value: &Value, found: &mut Vec<Reference>) -> bool {
    let reference = Reference::from_value(value);
    found.extend(reference.iter().cloned());
    reference.is_some()
}

/// Visits a value and all that is inside of it, in document order, but for what is inside of those where `visit` says that it is
/// enough.
pub(crate) fn walk(value: &Value, visit: &mut impl FnMut(&Value) -> bool) {
    if visit(value) {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, visit)),
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
