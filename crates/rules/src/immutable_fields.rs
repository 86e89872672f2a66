//! Fields on which a cluster is built cannot change once it is made.

use serde_json::Value;
use spec::Kind;

use crate::documents::{field, of_kind};
use crate::{Finding, Intent};

const NAME: &str = "immutable-field";

pub(crate) fn check(intent: &Intent<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in Kind::ALL {
        let wanted = of_kind(intent.wanted, kind);
        for (name, before) in of_kind(intent.previous, kind) {
            let Some(after) = wanted.get(name) else { continue };
            findings.extend(spec::fixed_fields(kind).iter().filter_map(|path| {
                let (old, new) = (field(before, path), field(after, path));
                (old != new).then(|| changed(&format!("{}/{name}", kind.kind()), path, old, new))
            }));
        }
    }
    findings
}

fn changed(document: &str, path: &str, old: &Value, new: &Value) -> Finding {
    let message =
        format!("`{path}` of {document} cannot change once a cluster is made: {} → {}", words(old), words(new));
    let hint = format!("set it back to {}. {}", words(old), needed(path));
    Finding::refuse(NAME, message, hint)
}

/// What changing a field would take.
fn needed(path: &str) -> &'static str {
    match path {
        "spec.networking.podCIDRs" | "spec.networking.nodeCIDRMaskSize" => {
            "A Node keeps the range of pod addresses that it was given: every Node would have to be deleted and join anew; \
             create another cluster and move the workloads"
        }
        "spec.networking.serviceCIDRs" => {
            "The API server's certificate and every Service's address are from the old range: every Service would have to \
             be made anew; create another cluster and move the workloads"
        }
        "spec.networking.dnsDomain" => {
            "Every kubelet, CoreDNS, the API server's certificate and every pod that runs know the old domain: all pods \
             would have to restart at once; create another cluster and move the workloads"
        }
        "spec.local.subnet" => {
            "Machines, certificates and etcd's members have addresses from it: every machine would have to be made anew; \
             create another cluster on the new subnet"
        }
        "spec.networking.cni" => {
            "Every pod on every machine is in the old network: taking it away cuts them all off, and a second one beside it \
             routes against it; create another cluster and move the workloads"
        }
        "spec.role" => "Add an instance group of the other role, and set the count of this one to 0",
        _ => {
            "It takes another cluster: delete this one and create it anew, or create one beside it and move the workloads"
        }
    }
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
