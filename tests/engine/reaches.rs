//! What the model makes of documents reaches the programs that it is for: what they read only once restarts them.

use std::collections::BTreeMap;

use resource::ResourceId;
use serde_json::Value;

use crate::clusters::{self, Wanted};

const FULL: &str = "local-full.yaml";

/// The configuration of a machine.
fn config<'a>(wanted: &'a Wanted, machine: &str) -> &'a Value {
    &wanted[&ResourceId::new("machine-config", machine)].inputs["config"]
}

/// Which units and static pods each file of a machine restarts.
fn restarts(config: &Value) -> BTreeMap<String, String> {
    let files =
        ["group", "machine"].into_iter().flat_map(|part| config[part]["files"].as_object().into_iter().flatten());
    let units = |file: &Value| {
        let units = file["restarts"].as_array().into_iter().flatten().filter_map(Value::as_str);
        units.collect::<Vec<_>>().join(" ")
    };
    files.map(|(path, file)| (path.clone(), units(file))).filter(|(_, units)| !units.is_empty()).collect()
}

/// What restarts what on every machine of the full example.
const ON_EVERY_MACHINE: [(&str, &str); 13] = [
    ("/etc/containerd/conf.d/additions.toml", "containerd.service"),
    ("/etc/containerd/config.toml", "containerd.service"),
    ("/etc/haproxy/haproxy.cfg", "haproxy.service"),
    ("/etc/kubernetes/kubelet.conf", "kubelet.service"),
    ("/etc/systemd/journald.conf.d/persistent.conf", "systemd-journald.service"),
    ("/etc/systemd/system/containerd.service", "containerd.service"),
    ("/etc/systemd/system/containerd.service.d/kubewright-proxy.conf", "containerd.service"),
    ("/etc/systemd/system/kubelet.service", "kubelet.service"),
    ("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", "kubelet.service"),
    ("/etc/systemd/system/kubewright-journal.service", "kubewright-journal.service"),
    ("/var/lib/kubelet/config.yaml", "kubelet.service"),
    ("/var/lib/kubelet/instance-config.yaml", "kubelet.service"),
    ("/var/lib/kubelet/kubeadm-flags.env", "kubelet.service"),
];
/// And on its control plane. Certificates that are not here are read anew by the programs that use them.
const ON_CONTROL_PLANES: [(&str, &str); 5] = [
    ("/etc/kubernetes/audit/policy.yaml", "kube-apiserver"),
    ("/etc/kubernetes/controller-manager.conf", "kube-controller-manager"),
    ("/etc/kubernetes/pki/sa.key", "kube-apiserver kube-controller-manager"),
    ("/etc/kubernetes/pki/sa.pub", "kube-apiserver"),
    ("/etc/kubernetes/scheduler.conf", "kube-scheduler"),
];

fn table(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let hook = "kubewright-hook-note-boot.service";
    let mut table: BTreeMap<String, String> =
        entries.iter().map(|(file, units)| ((*file).to_owned(), (*units).to_owned())).collect();
    table.insert(format!("/etc/systemd/system/{hook}"), hook.to_owned());
    table
}

#[test]
fn what_a_program_reads_only_once_restarts_it() {
    let wanted = clusters::wanted(FULL);
    assert_eq!(restarts(config(&wanted, "worker-1")), table(&ON_EVERY_MACHINE));
    let all = [&ON_EVERY_MACHINE[..], &ON_CONTROL_PLANES].concat();
    assert_eq!(restarts(config(&wanted, "control-plane-1")), table(&all));
}

#[test]
fn the_balancer_of_the_api_is_reloaded_and_not_restarted() {
    let wanted = clusters::wanted("local-ha.yaml");
    for machine in ["control-plane-1", "worker-1"] {
        assert_eq!(config(&wanted, machine)["group"]["units"]["haproxy.service"]["reloads"], true, "{machine}");
    }
}

/// The whole text of everything that is wanted with this in its id.
fn texts(wanted: &Wanted, id: &str) -> String {
    let of_id = wanted.iter().filter(|(found, _)| found.as_str().contains(id));
    of_id.map(|(_, desired)| desired.inputs.to_string()).collect()
}

#[test]
fn gates_of_the_whole_cluster_reach_every_component() {
    let gate = "PodLevelResources";
    let wanted = clusters::changed("local.yaml", |documents| {
        documents.cluster.spec.feature_gates.insert(gate.to_owned(), false);
    });
    let files = &config(&wanted, "control-plane-1")["group"]["files"];
    let components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    let manifests = components.map(|name| format!("/etc/kubernetes/manifests/{name}.yaml"));
    for file in manifests.iter().map(String::as_str).chain(["/var/lib/kubelet/config.yaml"]) {
        let anywhere = [files, &config(&wanted, "control-plane-1")["machine"]["files"]];
        let text: String = anywhere.iter().map(|files| files[file].to_string()).collect();
        assert!(text.contains(gate), "{file}: {text}");
    }
    assert!(texts(&wanted, "ConfigMap/kube-system/kube-proxy").contains(gate));
}

#[test]
fn a_cluster_without_kube_proxy_has_nothing_of_it() {
    let with = clusters::wanted("local.yaml");
    let without = clusters::changed("local.yaml", |documents| {
        documents.cluster.spec.networking.kube_proxy.enabled = false;
    });
    let of_proxy = |wanted: &Wanted| wanted.keys().filter(|id| id.as_str().contains("kube-proxy")).count();
    assert!(of_proxy(&with) > 0);
    assert_eq!(of_proxy(&without), 0);
}
