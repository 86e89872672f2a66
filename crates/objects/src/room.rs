//! What changed reserves, eviction thresholds and limits of kubelet leave of a Node, and for which of its pods that is too little.
//!
//! A kubelet that starts admits the pods of its Node anew, and rejects for good those that do not fit.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::{list, text};
use crate::pods::{full_name, is_finished, is_mirror};
use crate::quantity::quantity;

/// What both sides of an update are, in billionths.
type Amount = i128;

const BILLION: Amount = 1_000_000_000;
/// Priority from which on kubelet makes room for a pod by ending others.
const CRITICAL: i64 = 2_000_000_000;
/// Pods that a kubelet takes unless it is told otherwise.
const DEFAULT_PODS: Amount = 110;

/// A resource of a Node, and the eviction threshold that is kept free of it: its signal, and kubelet's default.
const RESOURCES: [(&str, Option<(&str, &str)>); 4] = [
    ("cpu", None),
    ("memory", Some(("memory.available", "100Mi"))),
    ("ephemeral-storage", Some(("nodefs.available", "10%"))),
    ("pods", None),
];

/// What an update does to the room on a Node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Room {
    /// Resources of which pods may have another amount than before.
    pub(crate) changes: Vec<Allocatable>,
    /// Pods that no longer fit, `namespace/name`.
    pub(crate) turned_away: Vec<String>,
}

/// How much of a resource pods may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Allocatable {
    pub(crate) resource: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What is left of a live Node with its pods, when its kubelet's configuration goes from `before` to `after`.
pub(crate) fn room(node: &Value, pods: &[Value], before: &Value, after: &Value) -> Room {
    let mut room = Room::default();
    let mut scarce = Vec::new();
    for (resource, threshold) in RESOURCES {
        let live = |kind: &str| quantity(node.pointer(&format!("/status/{kind}"))?.get(resource)?);
        let (Some(capacity), Some(from)) = (live("capacity"), live("allocatable")) else { continue };
        let kept = |configuration: &Value| kept(configuration, resource, threshold, capacity);
        let to = (from + kept(before) - kept(after)).max(0);
        if to == from {
            continue;
        }
        room.changes.push(Allocatable {
            resource: resource.to_owned(),
            from: words(resource, from),
            to: words(resource, to),
        });
        if to < from {
            scarce.push((resource, to));
        }
    }
    room.turned_away = turned_away(pods, scarce);
    room
}

/// How much of a resource pods can't have, as kubelet is told.
fn kept(configuration: &Value, resource: &str, threshold: Option<(&str, &str)>, capacity: Amount) -> Amount {
    let amount = |value: Option<&Value>| value.and_then(quantity).unwrap_or(0);
    if resource == "pods" {
        let most = configuration.get("maxPods").and_then(quantity).unwrap_or(DEFAULT_PODS * BILLION);
        // Fewer pods are more that is kept; that it may be below nothing does not matter for a difference.
        return -most;
    }
    let reserved = |field: &str| amount(configuration.get(field).and_then(|reserved| reserved.get(resource)));
    let evicted = threshold.map_or(0, |(signal, default)| {
        // Naming one threshold drops kubelet's defaults of all others.
        let value = match configuration.get("evictionHard") {
            Some(named) => named.get(signal).and_then(Value::as_str),
            None => Some(default),
        };
        value.map_or(0, |value| part(value, capacity))
    });
    reserved("kubeReserved") + reserved("systemReserved") + evicted
}

/// An amount, or a part of the capacity such as `10%`.
fn part(value: &str, capacity: Amount) -> Amount {
    match value.strip_suffix('%') {
        Some(percent) => {
            let hundredths = quantity(&Value::String(percent.to_owned())).unwrap_or(0);
            (capacity / BILLION).saturating_mul(hundredths) / 100
        }
        None => quantity(&Value::String(value.to_owned())).unwrap_or(0),
    }
}

/// The pods for which there is not enough of what has become scarce, taken in the order in which a starting kubelet admits them:
/// critical ones, for which it ends others, and then the oldest first.
fn turned_away(pods: &[Value], mut scarce: Vec<(&str, Amount)>) -> Vec<String> {
    let mut living: Vec<&Value> = pods.iter().filter(|pod| !is_finished(pod)).collect();
    living.sort_by_key(|pod| (!is_critical(pod), text(pod, "/metadata/creationTimestamp"), full_name(pod)));
    let mut turned_away = Vec::new();
    for pod in living {
        let asked: Vec<Amount> = scarce.iter().map(|(resource, _)| request(pod, resource)).collect();
        let fits = scarce.iter().zip(&asked).all(|((_, left), asked)| *asked == 0 || asked <= left);
        if fits {
            scarce.iter_mut().zip(asked).for_each(|((_, left), asked)| *left -= asked);
        } else {
            turned_away.push(full_name(pod));
        }
    }
    turned_away
}

fn is_critical(pod: &Value) -> bool {
    is_mirror(pod) || pod.pointer("/spec/priority").and_then(Value::as_i64).is_some_and(|priority| priority >= CRITICAL)
}

/// What a pod asks for: its containers together, or the one that asks for most before they start, and its overhead.
fn request(pod: &Value, resource: &str) -> Amount {
    if resource == "pods" {
        return BILLION;
    }
    let amount = |owner: &Value, field: &str| owner.pointer(field).and_then(|all| quantity(all.get(resource)?));
    let of = |container: &Value| amount(container, "/resources/requests").unwrap_or(0);
    let overhead = amount(pod, "/spec/overhead").unwrap_or(0);
    if let Some(whole) = amount(pod, "/spec/resources/requests") {
        return whole + overhead;
    }
    let (mut beside, mut most) = (0, 0);
    for container in list(pod, "/spec/initContainers") {
        // One that is restarted goes on beside those after it.
        if text(container, "/restartPolicy") == "Always" {
            beside += of(container);
            most = most.max(beside);
        } else {
            most = most.max(beside + of(container));
        }
    }
    let together: Amount = list(pod, "/spec/containers").iter().map(of).sum();
    most.max(beside + together) + overhead
}

/// An amount as people write it.
fn words(resource: &str, amount: Amount) -> String {
    match resource {
        "cpu" => format!("{}m", amount / 1_000_000),
        "pods" => (amount / BILLION).to_string(),
        _ => format!("{}Mi", (amount / BILLION) >> 20),
    }
}

#[cfg(test)]
mod tests;
