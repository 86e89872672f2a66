//! Reading documents as plain JSON: those of an older kubewright must be readable too.

use std::collections::BTreeMap;

use serde_json::Value;
use spec::Kind;

/// The documents of one kind, by name.
pub(crate) fn of_kind(documents: &[Value], kind: Kind) -> BTreeMap<&str, &Value> {
    documents
        .iter()
        .filter(|document| document["kind"] == kind.kind())
        .filter_map(|document| Some((document["metadata"]["name"].as_str()?, document)))
        .collect()
}

/// The field at a path such as `spec.networking.podCIDRs`; null where it is not.
pub(crate) fn field<'a>(document: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(document, |value, name| &value[name])
}

/// How many control planes each group asks for.
pub(crate) fn control_planes(documents: &[Value]) -> BTreeMap<&str, u64> {
    of_kind(documents, Kind::InstanceGroup)
        .into_iter()
        .filter(|(_, group)| group["spec"]["role"] == "ControlPlane")
        .map(|(name, group)| (name, group["spec"]["count"].as_u64().unwrap_or_default()))
        .filter(|(_, count)| *count > 0)
        .collect()
}
