//! Reading fields of API objects by JSON pointer.

use serde_json::Value;

/// The annotation that says which resource an object belongs to.
pub(crate) const OWNER: &str = "/metadata/annotations/kubewright.io~1owner";
/// The annotation that says which cluster's state that resource is in.
pub(crate) const LINEAGE: &str = "/metadata/annotations/kubewright.io~1lineage";
/// Where an object of the user's own manifests says so.
const MANIFEST: &str = "/metadata/annotations/kubewright.io~1manifest";

/// Whether an object is kubewright's own: its marker is there, and it is not of the user's manifests.
pub(crate) fn is_own(object: &Value) -> bool {
    !text(object, OWNER).is_empty() && text(object, MANIFEST).is_empty()
}

/// A text field; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A list field; empty where there is none.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A flag; false where there is none.
pub(crate) fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The status condition of a type.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind)
}

/// The text of a condition's status: `True`, `False` or `Unknown`; empty where the condition is not there.
pub(crate) fn condition_status<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition(object, kind).map_or("", |condition| text(condition, "/status"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_are_not_there_are_empty() {
        let object = json!({"a": {"b": "x"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!((text(&object, "/a/b"), text(&object, "/a/c")), ("x", ""));
        assert!(list(&object, "/a/b").is_empty() && !flag(&object, "/a"));
        assert_eq!((condition_status(&object, "Ready"), condition_status(&object, "Other")), ("True", ""));
    }
}
