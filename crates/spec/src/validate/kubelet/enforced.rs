//! Rule: reserves are enforced only on control groups that are named.

use serde_json::Value;

use super::settings::{Fault, Settings};
use crate::shape::quoted;

const FIELD: &str = "enforceNodeAllocatable";
/// What can be enforced, and the setting that names its control group.
const ENFORCED: [(&str, Option<&str>); 6] = [
    ("pods", None),
    ("system-reserved", Some("systemReservedCgroup")),
    ("kube-reserved", Some("kubeReservedCgroup")),
    ("system-reserved-compressible", Some("systemReservedCgroup")),
    ("kube-reserved-compressible", Some("kubeReservedCgroup")),
    ("none", None),
];

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let words: Vec<&str> = match settings.list(FIELD) {
        Some(list) => list.iter().filter_map(Value::as_str).collect(),
        None => vec!["pods"],
    };
    let mut faults = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let at = format!("{FIELD}[{index}]");
        let fault = |message: String| Fault::of(&at, message);
        let Some((_, group)) = ENFORCED.iter().find(|(known, _)| known == word) else {
            let help = format!("one of {}", quoted(ENFORCED.iter().map(|(word, _)| *word), 6));
            faults.push(fault(format!("kubelet can't enforce `{word}`")).help(help));
            continue;
        };
        if let Some(group) = group.filter(|group| settings.text(group).is_none()) {
            let message = format!("kubelet does not start: `{word}` is enforced on no control group");
            let help = format!("set `{group}` to one that exists on the machines, or remove `{word}`");
            faults.push(fault(message).and(group).help(help));
        }
        if words.iter().take(index).any(|earlier| earlier == word) {
            faults.push(fault(format!("`{word}` is there twice")).help("remove one of them"));
        }
        let compressible = format!("{word}-compressible");
        if words.contains(&compressible.as_str()) {
            faults.push(fault(format!("`{word}` and `{compressible}` exclude each other")).help("keep one of them"));
        }
        if *word == "none" && words.len() > 1 {
            faults.push(fault("`none` excludes everything else".to_owned()).help("write `[none]`, or remove it"));
        }
    }
    faults.extend(without_groups(settings, &words));
    faults
}

/// Nothing can be enforced where pods have no control groups by quality of service.
fn without_groups(settings: &Settings, words: &[&str]) -> Option<Fault> {
    let name = "cgroupsPerQOS";
    let is_wrong = !settings.flag(name, true) && words.iter().any(|word| *word != "none");
    let message = format!("kubelet does not start: `{FIELD}` needs `{name}`");
    is_wrong.then(|| Fault::of(name, message).and(FIELD).help(format!("remove it, or write `{FIELD}: [none]`")))
}
