//! Fields on which a cluster is built cannot change once it is made.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use spec::{FixedField, Kind};

use crate::documents::{field, of_kind};
use crate::{Finding, Intent};

const NAME: &str = "immutable-field";

pub(crate) fn check(intent: &Intent<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in Kind::ALL {
        let wanted = of_kind(intent.wanted, kind);
        for (name, before) in of_kind(intent.previous, kind) {
            let Some(after) = wanted.get(name) else { continue };
            let filled = with_defaults(kind, before);
            findings.extend(spec::fixed_fields(kind).iter().filter_map(|fixed| {
                let (old, new) = (field(&filled, &fixed.path), field(after, &fixed.path));
                (old != new).then(|| changed(&format!("{}/{name}", kind.kind()), fixed, old, new))
            }));
        }
    }
    findings
}

/// A document as this kubewright reads it: a field that came after the release that wrote it has the value that every cluster
/// had before. What cannot be read stays as it is.
fn with_defaults(kind: Kind, document: &Value) -> Value {
    let read = match kind {
        Kind::Cluster => reread::<spec::Cluster>(document),
        Kind::InstanceGroup => reread::<spec::InstanceGroup>(document),
    };
    read.unwrap_or_else(|| document.clone())
}

fn reread<T: DeserializeOwned + Serialize>(document: &Value) -> Option<Value> {
    serde_json::to_value(T::deserialize(document).ok()?).ok()
}

fn changed(document: &str, fixed: &FixedField, old: &Value, new: &Value) -> Finding {
    let FixedField { path, takes } = fixed;
    let message =
        format!("`{path}` of {document} cannot change once a cluster is made: {} → {}", words(old), words(new));
    let hint = format!("set it back to {}. {takes}", words(old));
    Finding::refuse(NAME, message, hint)
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::World;

    #[test]
    fn an_address_range_or_the_role_of_a_group_cannot_change() {
        let ranges = World::made(1).set("Cluster/demo", "/spec/networking/podCIDRs", json!(["10.0.0.0/16"]));
        assert_eq!(ranges.refusals(), ["immutable-field"]);
        let role = World::made(1).set("InstanceGroup/w", "/spec/role", json!("Machine"));
        assert_eq!(role.refusals(), ["immutable-field"]);
    }

    #[test]
    fn the_pod_network_of_a_made_cluster_stays_what_it_is() {
        for (from, to) in [("flannel", "none"), ("none", "flannel")] {
            let world = World::made(1).on_network(from).set("Cluster/demo", "/spec/networking/cni", json!(to));
            assert_eq!(world.refusals(), ["immutable-field"], "{from} to {to}");
        }
        let same = World::made(1).on_network("none").set("Cluster/demo", "/spec/networking/cni", json!("none"));
        assert!(same.refusals().is_empty());
    }

    #[test]
    fn a_field_that_came_after_the_last_run_had_its_default_then() {
        let mut cluster: spec::Cluster = serde_json::from_value(json!({
            "apiVersion": "kubewright.io/v1alpha1", "kind": "Cluster", "metadata": {"name": "demo"},
            "spec": {"kubernetesVersion": "1.36.3", "provider": "local"},
        }))
        .unwrap();
        let mut before = serde_json::to_value(&cluster).unwrap();
        before["spec"]["networking"]["flannel"].as_object_mut().unwrap().remove("backend").unwrap();
        let refused = |after: &spec::Cluster| {
            let world = World::made(1).documents(&before, &serde_json::to_value(after).unwrap());
            world.refusals().into_iter().filter(|rule| *rule == NAME).count()
        };
        assert_eq!(refused(&cluster), 0);
        cluster.spec.networking.flannel.backend = spec::FlannelBackend::HostGateway;
        assert_eq!(refused(&cluster), 1);
    }

    #[test]
    fn the_hint_says_what_the_change_would_take() {
        let hint = |path: &str| {
            let world = World::made(1).set("Cluster/demo", path, json!("x"));
            world.findings()[0].hint.clone()
        };
        assert!(hint("/spec/networking/podCIDRs").contains("every Node"));
        assert!(hint("/spec/networking/dnsDomain").starts_with("set it back to cluster.local. Every kubelet"));
    }

    #[test]
    fn everything_can_change_before_the_first_run_and_other_fields_always() {
        let world = World::made(1).set("Cluster/demo", "/spec/networking/dnsDomain", json!("x")).never_run();
        assert!(world.refusals().is_empty());
        assert!(World::made(1).set("InstanceGroup/w", "/spec/count", json!(7)).refusals().is_empty());
    }
}
