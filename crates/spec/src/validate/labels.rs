//! Rule: labels and taints of nodes leave those alone that Kubernetes sets itself.

use super::{Finding, World, repeated};
use crate::check::join;
use crate::effective::Draft;
use crate::{InstanceGroup, Taint};

/// Labels that kubelet, a controller or kubewright sets, and who does.
const RESERVED_LABELS: [(&str, &str); 7] = [
    ("kubernetes.io/hostname", "kubelet"),
    ("kubernetes.io/os", "kubelet"),
    ("kubernetes.io/arch", "kubelet"),
    ("beta.kubernetes.io/os", "kubelet"),
    ("beta.kubernetes.io/arch", "kubelet"),
    ("node-role.kubernetes.io/control-plane", "kubewright, from `spec.role`"),
    ("node.kubernetes.io/exclude-from-external-load-balancers", "kubewright, from `spec.role`"),
];

/// Prefixes that belong to one program.
const RESERVED_PREFIXES: [(&str, &str); 2] =
    [("kubewright.io/", "kubewright"), ("node.cloudprovider.kubernetes.io/", "cloud providers")];

/// Prefix of the taints that the node controller sets and removes.
const CONDITION_TAINTS: &str = "node.kubernetes.io/";

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for group in world.groups() {
        for key in group.value.spec.labels.keys() {
            if let Some(owner) = owner(key) {
                let finding = Finding::error("spec::reserved-label", format!("the label `{key}` is set by {owner}"));
                findings.push(finding.at(group, join("spec.labels", key)).help("remove it"));
            }
        }
        findings.extend(taints(group));
        findings.extend(annotations(group));
    }
    findings
}

/// Prefixes and keys of annotations of Nodes that programs keep their own notes in, and whose they are.
const RESERVED_ANNOTATIONS: [(&str, &str); 6] = [
    ("kubewright.io/", "kubewright"),
    ("kubeadm.alpha.kubernetes.io/", "kubeadm"),
    ("node.alpha.kubernetes.io/", "kubelet"),
    ("volumes.kubernetes.io/", "kubelet"),
    ("csi.volume.kubernetes.io/", "kubelet"),
    ("flannel.alpha.coreos.com/", "flannel"),
];

fn annotations(group: &Draft<InstanceGroup>) -> Vec<Finding> {
    let reserved = group.value.spec.annotations.keys().filter_map(|key| {
        let (_, owner) = RESERVED_ANNOTATIONS.iter().find(|(prefix, _)| key.starts_with(prefix))?;
        let finding = Finding::error("spec::reserved-annotation", format!("the annotation `{key}` is set by {owner}"));
        Some(finding.at(group, join("spec.annotations", key)).help("remove it, or use a key of your own"))
    });
    reserved.collect()
}

fn owner(key: &str) -> Option<&'static str> {
    let label = RESERVED_LABELS.iter().find(|(label, _)| *label == key);
    let prefix = || RESERVED_PREFIXES.iter().find(|(prefix, _)| key.starts_with(prefix));
    label.or_else(prefix).map(|(_, owner)| *owner)
}

fn taints(group: &Draft<InstanceGroup>) -> Vec<Finding> {
    let taints = &group.value.spec.taints;
    let path = |index: usize| format!("spec.taints[{index}]");
    let mut findings = Vec::new();
    for (index, Taint { key, .. }) in
        taints.iter().enumerate().filter(|(_, taint)| taint.key.starts_with(CONDITION_TAINTS))
    {
        let message = format!("the taint `{key}` is set and removed by Kubernetes' node controller");
        findings.push(
            Finding::error("spec::reserved-taint", message)
                .at(group, format!("{}.key", path(index)))
                .help("remove it, or use a key of your own"),
        );
    }
    let identity: Vec<String> = taints.iter().map(|taint| format!("{}:{:?}", taint.key, taint.effect)).collect();
    for (first, again) in repeated(identity.iter().map(String::as_str)) {
        let message = format!("the taint `{}` is there twice", identity.get(again).map_or("", String::as_str));
        findings.push(Finding::error("spec::duplicate-taint", message).and(group, path(again), "here again").and(
            group,
            path(first),
            "first here",
        ));
    }
    findings
}
