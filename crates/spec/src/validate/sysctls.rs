//! Rule: own settings of the kernel leave those of Kubernetes alone, and are such as machines have of their own.

use std::collections::BTreeMap;

use super::{Finding, World};
use crate::Provider;
use crate::check::join;
use crate::effective::Draft;

/// What Kubernetes needs, and kubewright sets.
const OURS: [&str; 3] =
    ["net.bridge.bridge-nf-call-ip6tables", "net.bridge.bridge-nf-call-iptables", "net.ipv4.ip_forward"];

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let Provider::Local = cluster.value.spec.provider;
    let mut findings = of(cluster, &cluster.value.spec.sysctls);
    for group in world.groups() {
        findings.extend(of(group, &group.value.spec.sysctls));
    }
    findings
}

fn of<T>(draft: &Draft<T>, sysctls: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in sysctls.keys() {
        // The kernel takes both separators.
        let dotted = name.replace('/', ".");
        let (message, help) = if OURS.contains(&dotted.as_str()) {
            (format!("`{name}` is set by kubewright: Kubernetes needs it"), "remove it")
        } else if !dotted.starts_with("net.") {
            let help = "set it on the host; machines have settings of their own below `net.` only";
            (format!("`{name}` is the host's, whose kernel local machines share"), help)
        } else {
            continue;
        };
        findings.push(Finding::error("spec::sysctl", message).at(draft, join("spec.sysctls", name)).help(help));
    }
    findings
}
