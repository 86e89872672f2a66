//! Rule: kubelet's managers of processors and memory get the reserves that they need.

use std::collections::BTreeSet;

use serde_json::Value;

use super::settings::{Fault, Settings};
use crate::format::amounts::parse_quantity;

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults: Vec<Fault> = [processors(settings), reserved_processors(settings)].into_iter().flatten().collect();
    faults.extend(reserved_memory(settings));
    faults.extend(memory(settings));
    faults
}

fn processors(settings: &Settings) -> Option<Fault> {
    let is_static = settings.text("cpuManagerPolicy") == Some("static");
    let is_reserved = settings.text("reservedSystemCPUs").is_some() || settings.reserved(|one| &one.cpu) > 0.0;
    let message = "kubelet does not start: the static policy needs processors that are reserved";
    let help = "set `spec.kubelet.kubeReserved.cpu`, such as `500m`, or `reservedSystemCPUs`";
    (is_static && !is_reserved).then(|| Fault::of("cpuManagerPolicy", message).help(help))
}

fn reserved_processors(settings: &Settings) -> Option<Fault> {
    let name = "reservedSystemCPUs";
    let text = settings.text(name)?;
    if processor_set(text).is_none() {
        let message = format!("kubelet can't read `{text}` as a set of processors");
        return Some(Fault::of(name, message).help("such as `0-1,4`"));
    }
    let group =
        ["systemReservedCgroup", "kubeReservedCgroup"].into_iter().find(|group| settings.text(group).is_some())?;
    let message = format!("`{name}` and `{group}` exclude each other");
    Some(Fault::of(name, message).and(group).help("keep one of them"))
}

/// The processors of a list such as `0-1,4`.
pub(super) fn processor_set(text: &str) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        // More than any machine has: a slip, and not worth the memory.
        if first > last || last > 65_536 {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

fn reserved_memory(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, one) in settings.list("reservedMemory").into_iter().flatten().enumerate() {
        let at = format!("reservedMemory[{index}]");
        let node = one.get("numaNode").and_then(Value::as_i64).unwrap_or(0);
        let limits = one.get("limits").and_then(Value::as_object);
        for (resource, amount) in limits.into_iter().flatten() {
            let why = if resource != "memory" && !resource.starts_with("hugepages-") {
                format!("`{resource}` can't be reserved on a NUMA node, only memory and huge pages")
            } else if bytes(amount) == Some(0.0) {
                format!("`{resource}` reserved on NUMA node {node} is nothing")
            } else if !seen.insert((node, resource.clone())) {
                format!("`{resource}` is reserved twice on NUMA node {node}")
            } else {
                continue;
            };
            faults.push(Fault::of(&at, why).help("kubelet does not start with it"));
        }
    }
    faults
}

/// A quantity, which may be written as a bare number.
fn bytes(amount: &Value) -> Option<f64> {
    amount.as_f64().or_else(|| parse_quantity(amount.as_str()?))
}

/// The static memory manager wants to know of every byte that is reserved, on which NUMA node it is.
fn memory(settings: &Settings) -> Option<Fault> {
    if settings.text("memoryManagerPolicy") != Some("Static") {
        return None;
    }
    let limits = settings.list("reservedMemory").unwrap_or_default().iter().filter_map(|one| one.get("limits"));
    let amounts = limits.filter_map(|limits| bytes(limits.get("memory")?));
    // A sum of nothing is -0, which is shown.
    let named = amounts.fold(0.0, |sum, amount| sum + amount);
    let reserved = settings.reserved(|one| &one.memory) + eviction_memory(settings, None)?;
    let message = format!(
        "kubelet does not start: `reservedMemory` has {named} bytes, but {reserved} are reserved with `kubeReserved`, \
         `systemReserved` and `evictionHard`"
    );
    let is_wrong = (named - reserved).abs() >= 1.0;
    is_wrong.then(|| Fault::of("memoryManagerPolicy", message).and("reservedMemory").help("make the two sums equal"))
}

/// Memory below which kubelet evicts, in bytes; nothing where that can't be known.
pub(super) fn eviction_memory(settings: &Settings, of: Option<f64>) -> Option<f64> {
    let hard = settings.texts("evictionHard");
    let value = match hard.iter().find(|(signal, _)| *signal == "memory.available") {
        Some((_, value)) => value,
        // Naming other signals only drops kubelet's default of this one.
        None if settings.get("evictionHard").is_some() => return Some(0.0),
        None => "100Mi",
    };
    match value.strip_suffix('%') {
        Some(part) => Some(of? * part.parse::<f64>().ok()? / 100.0),
        None => parse_quantity(value),
    }
}
