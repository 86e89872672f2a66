//! Editions: what a cluster feels of a newer one, and that it feels nothing before it is asked for.

use std::collections::BTreeSet;

use catalog::Edition;
use resource::{KindSchema, ResourceId};
use serde_json::Value;

use crate::clusters::{self, Wanted};

fn of(edition: Edition) -> Wanted {
    clusters::changed("local.yaml", |documents| {
        documents.cluster.spec.edition = Some(edition);
        documents.cluster.spec.addons.metrics_server.enabled = true;
    })
}

/// The text of kubelet's configuration on a machine.
fn kubelet(wanted: &Wanted, machine: &str) -> String {
    let files = &wanted[&ResourceId::new("machine-config", machine)].inputs["config"]["group"]["files"];
    files["/var/lib/kubelet/config.yaml"]["content"]["text"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_edition_keeps_nothing_from_pods_and_the_second_one_does() {
    let (first, second) = (of(Edition::V1), of(Edition::V2));
    for setting in ["kubeReserved", "systemReserved", "seccompDefault", "containerLogMaxSize"] {
        assert!(!kubelet(&first, "worker-1").contains(setting), "{setting} came with the second edition");
        assert!(kubelet(&second, "worker-1").contains(setting), "{setting}");
    }
    let asked = clusters::changed("local.yaml", |documents| {
        documents.cluster.spec.edition = Some(Edition::V1);
        documents.cluster.spec.kubelet.kube_reserved.cpu = Some("50m".to_owned());
    });
    let asked = kubelet(&asked, "worker-1");
    assert!(asked.contains("kubeReserved:\n  cpu: 50m\n") && !asked.contains("systemReserved"), "{asked}");
}

#[test]
fn a_newer_edition_changes_what_the_guide_says_and_nothing_else() {
    let (first, second) = (of(Edition::V1), of(Edition::V2));
    let new: BTreeSet<&str> = second.keys().filter(|id| !first.contains_key(*id)).map(ResourceId::as_str).collect();
    let budget = |name: &str| format!("object/policy/v1/PodDisruptionBudget/kube-system/{name}");
    assert_eq!(new, BTreeSet::from([budget("coredns").as_str(), budget("metrics-server").as_str()]));
    assert!(first.keys().all(|id| second.contains_key(id)));
    let schema = KindSchema::plain("x");
    let changed = |id: &&ResourceId| !plan::field_changes(&schema, &first[*id].inputs, &second[*id].inputs).is_empty();
    let changed: BTreeSet<&str> = first.keys().filter(changed).map(ResourceId::as_str).collect();
    let machines = ["control-plane-1", "worker-1", "worker-2"].map(|name| format!("machine-config/{name}"));
    let objects = [
        "v1/ConfigMap/kube-system/kubelet-config",
        "v1/ConfigMap/local-path-storage/local-path-config",
        "apps/v1/DaemonSet/kube-flannel/kube-flannel-ds",
        "apps/v1/DaemonSet/kube-system/kube-proxy",
        "apps/v1/Deployment/kube-system/coredns",
        "apps/v1/Deployment/kube-system/metrics-server",
        "apps/v1/Deployment/local-path-storage/local-path-provisioner",
    ];
    let objects = objects.map(|name| format!("object/{name}"));
    assert_eq!(changed, machines.iter().chain(&objects).map(String::as_str).collect());
    let field = |wanted: &Wanted, file: &str| -> Value {
        wanted[&ResourceId::new("machine-config", "control-plane-1")].inputs["config"]["group"]["files"][file].clone()
    };
    for file in ["/etc/systemd/system/kubelet.service", "/etc/containerd/config.toml", "/etc/kubernetes/pki/ca.crt"] {
        assert_eq!(field(&first, file), field(&second, file), "{file}");
    }
}
