//! Comparison with the files of a real `kubeadm init`, where they are at hand (skipped otherwise).
//!
//! `KUBEWRIGHT_REFERENCE` names their directory; beside a checkout `../shared/reference/kubeadm-1.36` is looked at.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may read the environment and say what is skipped"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::inputs::{LATEST, documents};
use crate::tree::{self, document};

fn reference() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/kubeadm-1.36");
    let directory = std::env::var_os("KUBEWRIGHT_REFERENCE").map_or_else(beside, PathBuf::from);
    if !directory.is_dir() {
        println!("SKIPPED: there are no files of a real kubeadm in {}", directory.display());
        return None;
    }
    Some(directory)
}

fn read(directory: &Path, file: &str) -> String {
    std::fs::read_to_string(directory.join(file)).unwrap()
}

/// Our document with the reference machine's facts in its holes.
fn ours(file: &str) -> String {
    let text = documents(LATEST).unwrap().into_iter().find(|(name, _)| *name == file).map(|(_, text)| text).unwrap();
    text.replace("{{nodeIP}}", "10.77.0.51")
        .replace("{{nodeName}}", "cp-1")
        .replace("{{cgroupDriver}}", "cgroupfs")
        .replace("{{resolvConf}}", "/run/systemd/resolve/resolv.conf")
}

#[test]
fn static_pods_are_exactly_kubeadms() {
    let Some(directory) = reference() else { return };
    for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
        let file = format!("{name}.yaml");
        let mut pod = document(&ours(&file));
        // kubeadm leaves it to who looks at a dead component to find its log.
        pod["spec"]["containers"][0].as_object_mut().unwrap().remove("terminationMessagePolicy");
        assert_eq!(pod, document(&read(&directory, &format!("manifests/{file}"))), "{name}");
    }
}

#[test]
fn kubelets_files_say_what_kubeadms_say() {
    let Some(directory) = reference() else { return };
    let config = without_ours(document(&ours("kubelet-config.yaml")));
    assert_eq!(config, without_zeros(document(&read(&directory, "kubelet-config.yaml"))));
    assert_eq!(document(&ours("kubelet-instance-config.yaml")), document(&read(&directory, "instance-config.yaml")));
    assert_eq!(ours("kubeadm-flags.env"), read(&directory, "kubeadm-flags.env"));
}

#[test]
fn objects_are_kubeadms_save_named_deviations() {
    let Some(directory) = reference() else { return };
    let theirs: Vec<Value> = std::fs::read_dir(directory.join("objects"))
        .unwrap()
        .flat_map(|entry| tree::documents(&std::fs::read_to_string(entry.unwrap().path()).unwrap()))
        .collect();
    let ours: Vec<Value> = ["bootstrap.yaml", "kube-proxy.yaml", "coredns.yaml"]
        .iter()
        .flat_map(|file| tree::documents(&ours(file)))
        .collect();
    for object in ours.iter().filter(|object| object["kind"] != "PodDisruptionBudget") {
        let id = tree::id(object);
        let same = theirs.iter().find(|other| tree::id(other) == id).unwrap_or_else(|| panic!("{id} is not kubeadm's"));
        within(&mut plain(object.clone()), &plain(same.clone()), &id);
    }
    // What kubeadm, not the API server, put there and we don't: a token, which is minted when it is needed.
    let missing: Vec<_> = theirs
        .iter()
        .map(tree::id)
        .filter(|id| !ours.iter().any(|object| tree::id(object) == *id))
        .filter(|id| !id.starts_with("Node "))
        .collect();
    assert_eq!(
        missing.iter().filter(|id| !id.starts_with("Secret kube-system/bootstrap-token-")).collect::<Vec<_>>().len(),
        MADE_BY_THE_API_SERVER.len(),
        "{missing:?}"
    );
    assert!(MADE_BY_THE_API_SERVER.iter().all(|id| missing.iter().any(|other| other == id)));
}

const MADE_BY_THE_API_SERVER: [&str; 3] = [
    "ConfigMap kube-system/kube-apiserver-legacy-service-account-token-tracking",
    "ClusterRole -/system:node-proxier",
    "ClusterRoleBinding -/system:node-proxier",
];

/// Every field of ours must have the reference's value; the reference also has what the API server filled in.
fn within(ours: &mut Value, theirs: &Value, path: &str) {
    match (ours, theirs) {
        // An object that is not there has none of the fields.
        (Value::Object(ours), theirs) if theirs.is_object() || theirs.is_null() => {
            for (key, field) in ours {
                let path = format!("{path}/{key}");
                if DEVIATIONS.iter().any(|(deviation, _)| path.ends_with(deviation)) {
                    continue;
                }
                within(field, theirs.get(key).unwrap_or(&Value::Null), &path);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter_mut().zip(theirs).enumerate() {
                within(ours, theirs, &format!("{path}/{index}"));
            }
        }
        (ours, theirs) => assert_eq!(ours, theirs, "{path}"),
    }
}

const DEVIATIONS: [(&str, &str); 9] = [
    ("DaemonSet kube-system/kube-proxy/spec/template/spec/containers/0/resources", "the scheduler knows what it needs"),
    ("/containers/0/terminationMessagePolicy", "says why a container ended"),
    ("/labels/app.kubernetes.io~1managed-by", "says whose object it is"),
    ("/annotations/kubewright.io~1config-digest", "restarts kube-proxy when its configuration changes"),
    ("/containers/0/readinessProbe/periodSeconds", "a young kubelet begins to ask within one period at random"),
    ("/containers/0/startupProbe", "makes CoreDNS Ready when it is, not at the next tenth second"),
    ("Deployment kube-system/coredns/spec/template/spec/containers/0/image", "1.14.2 can't be had as a module"),
    ("ConfigMap kube-public/cluster-info/data/kubeconfig", "another CA"),
    ("/data/ClusterConfiguration/encryptionAlgorithm", "keys are ECDSA"),
];

/// Texts in ConfigMaps as the documents they are, keys escaped for paths, defaults left out.
fn plain(mut object: Value) -> Value {
    if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
        for (key, text) in data.iter_mut().filter(|(key, _)| !matches!(key.as_str(), "Corefile" | "kubeconfig")) {
            let parsed = without_zeros(document(text.as_str().unwrap_or_default()));
            *text = if key == "kubelet" { without_ours(parsed) } else { parsed };
        }
    }
    // Their order means nothing.
    if let Some(subjects) = object.get_mut("subjects").and_then(Value::as_array_mut) {
        subjects.sort_by_key(ToString::to_string);
    }
    escaped(object)
}

/// The reference machine was not asked to leave its disk alone; limits of logs are kubelet's defaults, written out.
fn without_ours(mut kubelet: Value) -> Value {
    for ours_only in ["containerLogMaxFiles", "containerLogMaxSize", "evictionHard", "imageGCHighThresholdPercent"] {
        kubelet.as_object_mut().unwrap().remove(ours_only);
    }
    kubelet
}

fn escaped(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(key, field)| (key.replace('/', "~1"), escaped(field))).collect()
        }
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        other => other,
    }
}

/// Without fields that say "the default": kubeadm writes them, we don't. Conntrack's zeros have a meaning.
fn without_zeros(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, field)| (key.clone(), if key == "conntrack" { limits(&field) } else { without_zeros(field) }))
            .filter(|(key, field)| {
                !is_zero(field)
                    || matches!(
                        key.as_str(),
                        "enabled" | "failCgroupV1" | "failSwapOn" | "localStorageCapacityIsolation"
                    )
            })
            .collect(),
        other => other,
    }
}

fn limits(conntrack: &Value) -> Value {
    serde_json::json!({"maxPerCore": conntrack["maxPerCore"], "min": conntrack["min"]})
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => matches!(text.as_str(), "" | "0s" | "0"),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
