//! Rule: numbers and times of kubelet's configuration lie where kubelet takes them.

use serde_json::Value;

use super::settings::{Fault, Settings};

const MOST: i64 = i32::MAX as i64;
/// A quarter of a node's lease passes between renewals, and after so many seconds without one the node is taken for lost.
const MONITOR_GRACE_SECONDS: i64 = 40;

/// Least and most of whole numbers (Kubernetes: `ValidateKubeletConfiguration`). Where kubelet takes 0 for its default,
/// 0 is taken here.
const NUMBERS: [(&str, i64, i64); 24] = [
    ("containerLogMaxFiles", 2, MOST),
    ("containerLogMaxWorkers", 1, MOST),
    ("eventBurst", 0, MOST),
    ("eventRecordQPS", 0, MOST),
    ("imageGCHighThresholdPercent", 0, 100),
    ("imageGCLowThresholdPercent", 0, 100),
    ("iptablesDropBit", 0, 31),
    ("iptablesMasqueradeBit", 0, 31),
    ("kubeAPIBurst", 0, MOST),
    ("kubeAPIQPS", 0, MOST),
    ("maxOpenFiles", 0, i64::MAX),
    ("maxParallelImagePulls", 1, MOST),
    ("maxPods", 0, MOST),
    ("nodeLeaseDurationSeconds", 0, MOST),
    ("nodeStatusMaxImages", -1, MOST),
    ("oomScoreAdj", -1000, 1000),
    ("podsPerCore", 0, MOST),
    ("readOnlyPort", 0, 65_535),
    ("registryBurst", 0, MOST),
    ("registryPullQPS", 0, MOST),
    ("evictionMaxPodGracePeriod", i32::MIN as i64, MOST),
    ("podPidsLimit", i64::MIN, i64::MAX),
    ("tracing.samplingRatePerMillion", 0, 1_000_000),
    ("userNamespaces.idsPerPod", 65_536, u32::MAX as i64),
];

/// Least and most of times, in seconds.
const TIMES: [(&str, f64, f64, &str); 5] = [
    ("containerLogMonitorInterval", 3.0, f64::MAX, "3s or more"),
    ("cpuCFSQuotaPeriod", 0.001, 1.0, "from 1ms to 1s"),
    ("crashLoopBackOff.maxContainerRestartPeriod", 1.0, 300.0, "from 1s to 300s"),
    ("imageMaximumGCAge", 0.0, f64::MAX, "not negative"),
    ("imageMinimumGCAge", 0.0, f64::MAX, "not negative"),
];

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults: Vec<Fault> =
        NUMBERS.iter().filter_map(|(name, least, most)| number(settings, name, *least, *most)).collect();
    faults.extend(TIMES.iter().filter_map(|time| self::time(settings, time)));
    faults.extend(image_collection(settings));
    faults.extend(image_age(settings));
    faults.extend(pulls(settings));
    faults.extend(throttling(settings));
    faults.extend(lease(settings));
    faults.extend(ids_per_pod(settings));
    faults
}

fn number(settings: &Settings, name: &str, least: i64, most: i64) -> Option<Fault> {
    let number = settings.number(name).filter(|number| !(least..=most).contains(number))?;
    let help = match (least, most) {
        (least, MOST | i64::MAX) => format!("write {least} or more"),
        (least, most) => format!("write a number from {least} to {most}"),
    };
    Some(Fault::of(name, format!("kubelet does not start with `{name}: {number}`")).help(help))
}

fn time(settings: &Settings, (name, least, most, words): &(&str, f64, f64, &str)) -> Option<Fault> {
    let seconds = settings.seconds(name).filter(|seconds| !(*least..=*most).contains(seconds))?;
    // kubelet takes zero for its default here; a pointer to zero it does not.
    let is_default = seconds == 0.0 && name.starts_with("image");
    let message = format!("kubelet does not start with this `{name}`");
    // Looked at since 1.36.
    let is_unseen = *name == "imageMinimumGCAge" && settings.minor < 36;
    (!is_default && !is_unseen).then(|| Fault::of(name, message).help(format!("it must be {words}")))
}

fn image_collection(settings: &Settings) -> Option<Fault> {
    let (high, low) = ("imageGCHighThresholdPercent", "imageGCLowThresholdPercent");
    let (most, least) = (settings.number(high).unwrap_or(85), settings.number(low).unwrap_or(80));
    let is_wrong = least >= most && (0..=100).contains(&most) && (0..=100).contains(&least);
    let message = format!("image collection would begin at {most} percent and stop at {least}: it never stops");
    let changed = if settings.get(low).is_some() { (low, high) } else { (high, low) };
    is_wrong.then(|| Fault::of(changed.0, message).and(changed.1).help(format!("`{low}` must be less than `{high}`")))
}

fn image_age(settings: &Settings) -> Option<Fault> {
    let (most, least) = ("imageMaximumGCAge", "imageMinimumGCAge");
    let oldest = settings.seconds(most).filter(|seconds| *seconds > 0.0)?;
    let youngest = settings.seconds(least).filter(|seconds| *seconds != 0.0).unwrap_or(120.0);
    let message = format!("images would be too old before `{least}` ({youngest} s) lets them go");
    (oldest <= youngest).then(|| Fault::of(most, message).and(least).help(format!("raise `{most}` above `{least}`")))
}

/// Several pulls at once, and one after the other.
fn pulls(settings: &Settings) -> Option<Fault> {
    let (serial, parallel) = ("serializeImagePulls", "maxParallelImagePulls");
    let is_wrong = settings.number(parallel)? > 1 && settings.flag(serial, false);
    let message = format!("`{parallel}` is more than 1, and `{serial}` says one after the other");
    is_wrong.then(|| Fault::of(parallel, message).and(serial).help(format!("write `{serial}: false`")))
}

fn throttling(settings: &Settings) -> Option<Fault> {
    let name = "memoryThrottlingFactor";
    let factor = settings.get(name).and_then(Value::as_f64)?;
    let message = format!("kubelet does not start with `{name}: {factor}`");
    (factor <= 0.0 || factor > 1.0).then(|| Fault::of(name, message).help("write a number above 0, at most 1"))
}

/// A node that renews its lease too seldom is taken for lost again and again.
fn lease(settings: &Settings) -> Option<Fault> {
    let name = "nodeLeaseDurationSeconds";
    let seconds = settings.number(name).filter(|seconds| seconds / 4 >= MONITOR_GRACE_SECONDS)?;
    let message = format!(
        "kubelet renews a lease of {seconds} s every {} s, and after {MONITOR_GRACE_SECONDS} s a node counts as lost",
        seconds / 4
    );
    Some(Fault::of(name, message).help("leave it out; the default is 40").warning())
}

fn ids_per_pod(settings: &Settings) -> Option<Fault> {
    let name = "userNamespaces.idsPerPod";
    let number = settings.number(name).filter(|number| number % 65_536 != 0 && *number > 65_536)?;
    Some(Fault::of(name, format!("{number} is not a multiple of 65536")).help("write 65536, or twice that"))
}
