//! Rule: eviction thresholds are ones that kubelet reads, and soft ones have their time.

use super::settings::{Fault, Settings};
use crate::format::amounts::{parse_go_duration, parse_quantity};
use crate::suggest;

/// What kubelet measures.
const SIGNALS: [&str; 9] = [
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "containerfs.available",
    "containerfs.inodesFree",
    "allocatableMemory.available",
    "pid.available",
];

const SOFT: &str = "evictionSoft";
const PERIODS: &str = "evictionSoftGracePeriod";
const RECLAIM: &str = "evictionMinimumReclaim";

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in ["evictionHard", SOFT, PERIODS, RECLAIM] {
        for (signal, value) in settings.texts(name) {
            faults.extend(self::signal(name, signal).or_else(|| self::value(name, signal, value)));
        }
    }
    faults.extend(periods(settings));
    faults
}

fn signal(name: &str, signal: &str) -> Option<Fault> {
    if SIGNALS.contains(&signal) {
        return None;
    }
    let help = suggest::one_of(signal, &SIGNALS, SIGNALS.len());
    Some(Fault::of_entry(name, signal, format!("kubelet has no eviction signal `{signal}`")).help(help))
}

fn value(name: &str, signal: &str, value: &str) -> Option<Fault> {
    let help = match name {
        PERIODS if parse_go_duration(value).is_some_and(|seconds| seconds >= 0.0) => return None,
        PERIODS => "write a time, such as `1m30s`",
        RECLAIM if value.trim_start_matches('0').is_empty() && !value.is_empty() => return None,
        _ if is_threshold(value) => return None,
        _ => "write an amount such as `100Mi`, or a part such as `10%`",
    };
    Some(Fault::of_entry(name, signal, format!("kubelet can't read `{value}` as `{name}` of {signal}")).help(help))
}

/// A part of 0 to 100 percent, or an amount above zero.
fn is_threshold(value: &str) -> bool {
    match value.strip_suffix('%') {
        Some(part) => part.parse::<f64>().is_ok_and(|part| (0.0..=100.0).contains(&part)),
        None => parse_quantity(value).is_some_and(|amount| amount > 0.0),
    }
}

/// Each soft threshold has a time, and each time a threshold.
fn periods(settings: &Settings) -> Vec<Fault> {
    let (soft, periods) = (settings.texts(SOFT), settings.texts(PERIODS));
    let has = |all: &[(&str, &str)], signal: &str| all.iter().any(|(other, _)| *other == signal);
    let mut faults = Vec::new();
    // kubelet leaves a threshold of 0% or 100% out.
    for (signal, _) in soft.iter().filter(|(_, value)| !matches!(*value, "0%" | "100%")) {
        if !has(&periods, signal) {
            let message = format!("kubelet does not start: soft eviction for {signal} has no grace period");
            let help = format!("add `{PERIODS}: {{{signal}: 1m30s}}`");
            faults.push(Fault::of_entry(SOFT, signal, message).and(PERIODS).help(help));
        }
    }
    for (signal, _) in &periods {
        if SIGNALS.contains(signal) && !has(&soft, signal) {
            let message = format!("a grace period without a soft threshold of {signal} does nothing");
            let help = format!("add `{SOFT}: {{{signal}: …}}`, or remove it");
            faults.push(Fault::of_entry(PERIODS, signal, message).help(help).warning());
        }
    }
    faults
}
