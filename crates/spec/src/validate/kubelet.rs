//! Rule: kubelet's layers leave alone what the cluster depends on.

use serde_json::{Map, Value};

use super::{Finding, World};
use crate::check::join;
use crate::effective::Draft;
use crate::format::amounts::{parse_duration, parse_quantity};
use crate::{Kubelet, Reserved, suggest};

mod fields;

use fields::{KNOWN, MANAGED};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let base = world.cluster().map(|cluster| &cluster.value.spec.kubelet);
    if let Some(cluster) = world.cluster() {
        findings.extend(config(cluster, &cluster.value.spec.kubelet.config));
        findings.extend(shutdown(cluster, &[&cluster.value.spec.kubelet]));
    }
    for group in world.groups() {
        let own = &group.value.spec.kubelet;
        findings.extend(config(group, &own.config));
        if own.shutdown_grace_period.is_some() || own.shutdown_grace_period_critical_pods.is_some() {
            let layers: Vec<&Kubelet> = base.into_iter().chain([own]).collect();
            findings.extend(shutdown(group, &layers));
        }
        if let Some(memory) = group.value.spec.machine.memory.as_deref().and_then(parse_quantity) {
            let layers: Vec<&Kubelet> = base.into_iter().chain([own]).collect();
            let reserved =
                reserved(&layers, |layer| &layer.kube_reserved) + reserved(&layers, |layer| &layer.system_reserved);
            if reserved >= memory {
                let message = "kube and system reserves leave no memory of these machines for pods";
                findings.push(
                    Finding::error("spec::reserves", message)
                        .at(group, "spec.machine.memory")
                        .help("reserve less, or give the machines more"),
                );
            }
        }
    }
    findings
}

/// Fields that kubewright sets, and fields that don't exist.
fn config<T>(draft: &Draft<T>, config: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in config.keys() {
        let path = join("spec.kubelet.config", name);
        if let Some((_, instead)) = MANAGED.iter().find(|(managed, _)| managed == name) {
            let finding =
                Finding::error("spec::managed-kubelet-field", format!("`{name}` of kubelet is set by kubewright"))
                    .at(draft, path);
            findings.push(finding.help(if instead.is_empty() {
                "remove it".to_owned()
            } else {
                format!("use {instead}")
            }));
        } else if !KNOWN.contains(&name.as_str()) {
            let finding = Finding::warning("spec::unknown-kubelet-field", format!("kubelet has no setting `{name}`"))
                .at(draft, path);
            let meant = suggest::nearest(name, KNOWN).map(|known| format!("did you mean `{known}`?"));
            findings.push(Finding { help: meant, ..finding });
        }
    }
    findings
}

/// The part for critical pods fits into the whole.
fn shutdown<T>(draft: &Draft<T>, layers: &[&Kubelet]) -> Option<Finding> {
    let last = |of: fn(&Kubelet) -> &Option<String>| {
        layers.iter().rev().find_map(|layer| of(layer).as_deref()).and_then(parse_duration)
    };
    let critical = last(|layer| &layer.shutdown_grace_period_critical_pods)?;
    let whole = last(|layer| &layer.shutdown_grace_period).unwrap_or(0.0);
    let finding =
        Finding::error("spec::shutdown-grace-period", "critical pods get a longer time than the whole shutdown takes");
    let finding = finding.at(draft, "spec.kubelet.shutdownGracePeriodCriticalPods");
    (critical > whole).then(|| finding.help("raise `shutdownGracePeriod`; it includes the time for critical pods"))
}

fn reserved(layers: &[&Kubelet], of: fn(&Kubelet) -> &Reserved) -> f64 {
    layers.iter().rev().find_map(|layer| of(layer).memory.as_deref()).and_then(parse_quantity).unwrap_or(0.0)
}
