//! Rule: kubelet's layers leave alone what the cluster depends on.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Finding, World};
use crate::check::join;
use crate::effective::Draft;
use crate::format::amounts::parse_duration;
use crate::{InstanceGroup, Kubelet, MachineSize};

mod enforced;
mod eviction;
mod fields;
mod forms;
mod gates;
mod managers;
mod numbers;
mod options;
mod reserves;
mod settings;
#[cfg(test)]
mod tests;
mod words;

use fields::MANAGED;
use settings::{Fault, Settings};

/// What kubelet itself would say of its whole configuration.
const OF_SETTINGS: [fn(&Settings) -> Vec<Fault>; 8] = [
    numbers::check,
    words::check,
    gates::check,
    forms::check,
    eviction::check,
    enforced::check,
    managers::check,
    options::check,
];

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let base = world.cluster().map(|cluster| &cluster.value.spec.kubelet);
    if let (Some(cluster), Some(kubelet)) = (world.cluster(), base) {
        findings.extend(config(cluster, &kubelet.config));
        // Where there are groups, each kubelet has the layer of one, too.
        if world.groups().is_empty() {
            let settings = settings(world, &[kubelet], &MachineSize::default());
            let faults = faults(&settings).chain(shutdown(&[kubelet]));
            findings.extend(faults.map(|fault| said(world, None, fault)));
        }
    }
    let mut of_cluster = BTreeSet::new();
    for group in world.groups() {
        let own = &group.value.spec.kubelet;
        let layers: Vec<&Kubelet> = base.into_iter().chain([own]).collect();
        findings.extend(config(group, &own.config));
        let settings = settings(world, &layers, &group.value.spec.machine);
        for fault in faults(&settings).chain(shutdown(&layers)) {
            // What is written in the cluster's layer is said once.
            let is_own = fault.fields.iter().any(|field| world.writes(group, field));
            if is_own || of_cluster.insert(fault.message.clone()) {
                findings.push(said(world, Some(group), fault));
            }
        }
        findings.extend(reserves::check(world, group, &settings));
    }
    findings
}

fn settings(world: &World<'_>, layers: &[&Kubelet], machine: &MachineSize) -> Settings {
    let spec = world.cluster().map(|cluster| &cluster.value.spec);
    let release = spec.and_then(|spec| catalog::find(&spec.kubernetes_version).ok());
    let gates = spec.map(|spec| spec.feature_gates.clone()).unwrap_or_default();
    let provider = spec.map(|spec| spec.provider).unwrap_or_default();
    Settings::of(provider, release.map_or(u32::MAX, |release| release.minor), &gates, layers, machine)
}

fn faults(settings: &Settings) -> impl Iterator<Item = Fault> {
    OF_SETTINGS.into_iter().flat_map(|rule| rule(settings))
}

/// A fault at the places where its settings are written: in the group's layer, or in the cluster's below it.
fn said(world: &World<'_>, group: Option<&Draft<InstanceGroup>>, fault: Fault) -> Finding {
    let severity = if fault.is_warning { Finding::warning } else { Finding::error };
    let mut finding = severity(fault.code, fault.message).help(fault.help);
    for field in &fault.fields {
        let text = if finding.places.is_empty() { "here" } else { "and this" };
        let of_cluster = world.cluster().filter(|cluster| world.writes(cluster, field));
        finding = match (group.filter(|group| world.writes(group, field)), of_cluster) {
            (Some(group), _) => finding.and(group, field, text),
            (None, Some(cluster)) => finding.and(cluster, field, text),
            (None, None) => finding,
        };
    }
    match (fault.fields.first(), group, world.cluster()) {
        (Some(field), Some(group), _) if finding.places.is_empty() => finding.at(group, field),
        (Some(field), None, Some(cluster)) if finding.places.is_empty() => finding.at(cluster, field),
        _ => finding,
    }
}

/// Whether kubewright sets a field itself.
pub(super) fn is_managed(name: &str) -> bool {
    MANAGED.iter().any(|(managed, _)| *managed == name)
}

/// Fields that kubewright sets.
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
        }
    }
    findings
}

/// The part for critical pods fits into the whole, and neither is too short to be one.
fn shutdown(layers: &[&Kubelet]) -> Vec<Fault> {
    const CODE: &str = "spec::shutdown-grace-period";
    let last = |of: fn(&Kubelet) -> &Option<String>| {
        layers.iter().rev().find_map(|layer| of(layer).as_deref()).and_then(parse_duration)
    };
    let critical = last(|layer| &layer.shutdown_grace_period_critical_pods);
    let whole = last(|layer| &layer.shutdown_grace_period);
    let given = [("shutdownGracePeriod", whole), ("shutdownGracePeriodCriticalPods", critical)];
    let short = given.into_iter().filter(|(_, seconds)| seconds.is_some_and(|seconds| seconds > 0.0 && seconds < 1.0));
    let mut faults: Vec<Fault> = short
        .map(|(name, _)| {
            let message = format!("kubelet does not start with a `{name}` of less than a second");
            Fault::of_layer(CODE, &[name], message).help("write `1s` or more, or leave it out")
        })
        .collect();
    if critical.unwrap_or(0.0) > whole.unwrap_or(0.0) {
        let message = "critical pods get a longer time than the whole shutdown takes";
        let help = "raise `shutdownGracePeriod`; it includes the time for critical pods";
        let names = ["shutdownGracePeriodCriticalPods", "shutdownGracePeriod"];
        faults.push(Fault::of_layer(CODE, &names, message).help(help));
    }
    faults
}
