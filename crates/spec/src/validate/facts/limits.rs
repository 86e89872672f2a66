//! Values of extra flags beyond their type: amounts within bounds and words of a list, as the components check them when
//! they start.

use crate::format::amounts::{parse_go_duration, parse_quantity};
use crate::suggest;

use super::values;

/// What a flag takes.
enum Takes {
    /// Numbers, and times in seconds.
    Amount(f64, f64),
    /// One of some words.
    Word(&'static [&'static str]),
}

use Takes::{Amount, Word};

const MOST: f64 = f64::INFINITY;
const POSITIVE: Takes = Amount(1.0, MOST);
const NOT_NEGATIVE: Takes = Amount(0.0, MOST);

type Table = &'static [(&'static str, Takes)];

/// Of every component of Kubernetes.
const EVERYONE: Table = &[
    ("leader-elect-resource-lock", Word(&["leases"])),
    ("log-flush-frequency", Amount(1e-9, MOST)),
    ("logging-format", Word(&["text", "json"])),
    ("tls-min-version", Word(&["", "VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"])),
];

const API_SERVER: Table = &[
    ("apiserver-count", POSITIVE),
    ("endpoint-reconciler-type", Word(&["master-count", "lease", "none"])),
    ("goaway-chance", Amount(0.0, 0.02)),
    ("kubernetes-service-node-port", Amount(0.0, 65_535.0)),
    ("livez-grace-period", NOT_NEGATIVE),
    ("max-mutating-requests-inflight", NOT_NEGATIVE),
    ("max-requests-inflight", NOT_NEGATIVE),
    ("min-request-timeout", NOT_NEGATIVE),
    ("request-timeout", NOT_NEGATIVE),
    ("shutdown-delay-duration", NOT_NEGATIVE),
    ("shutdown-watch-termination-grace-period", NOT_NEGATIVE),
    ("storage-backend", Word(&["", "etcd3"])),
    ("storage-initialization-timeout", NOT_NEGATIVE),
    ("storage-media-type", Word(&["", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"])),
];

const CONTROLLER_MANAGER: Table = &[
    ("attach-detach-reconcile-sync-period", POSITIVE),
    ("cidr-allocator-type", Word(&["", "RangeAllocator"])),
    ("cloud-provider", Word(&["", "external"])),
    ("concurrent-cron-job-syncs", POSITIVE),
    ("concurrent-daemonset-syncs", POSITIVE),
    ("concurrent-device-taint-eviction-syncs", POSITIVE),
    ("concurrent-ephemeralvolume-syncs", POSITIVE),
    ("concurrent-horizontal-pod-autoscaler-syncs", POSITIVE),
    ("concurrent-job-syncs", POSITIVE),
    ("concurrent-resourceclaim-syncs", POSITIVE),
    ("concurrent-service-endpoint-syncs", Amount(1.0, 50.0)),
    ("concurrent-statefulset-syncs", POSITIVE),
    ("concurrent-validating-admission-policy-status-syncs", POSITIVE),
    ("max-endpoints-per-slice", Amount(1.0, 1000.0)),
    ("mirroring-concurrent-service-endpoint-syncs", Amount(1.0, 50.0)),
    ("mirroring-max-endpoints-per-subset", Amount(1.0, 1000.0)),
];

const ETCD: Table = &[
    ("auto-compaction-mode", Word(&["periodic", "revision"])),
    ("compact-hash-check-time", Amount(1e-9, MOST)),
    ("discovery-fallback", Word(&["exit"])),
    ("experimental-compact-hash-check-time", Amount(1e-9, MOST)),
    ("log-format", Word(&["json", "console"])),
    ("log-level", Word(&["debug", "info", "warn", "error", "panic", "fatal"])),
    ("logger", Word(&["zap"])),
    ("tls-max-version", Word(&["", "TLS1.2", "TLS1.3"])),
    ("tls-min-version", Word(&["", "TLS1.2", "TLS1.3"])),
    ("v2-deprecation", Word(&["write-only", "write-only-drop-data", "gone"])),
];

/// Whether a component takes a value of the right type; else what to write.
pub(super) fn check(program: &str, name: &str, type_name: &str, value: &str) -> Result<(), String> {
    let own = match program {
        "kube-apiserver" => API_SERVER,
        "kube-controller-manager" => CONTROLLER_MANAGER,
        "etcd" => ETCD,
        _ => &[],
    };
    let everyone: Table = if program == "etcd" { &[] } else { EVERYONE };
    match own.iter().chain(everyone).find(|(known, _)| *known == name) {
        Some((_, takes)) => takes.check(type_name, value),
        None => Ok(()),
    }
}

impl Takes {
    fn check(&self, type_name: &str, value: &str) -> Result<(), String> {
        match self {
            Amount(least, most) => match amount(type_name, value) {
                Some(amount) if !(*least..=*most).contains(&amount) => Err(bounds(*least, *most, type_name)),
                _ => Ok(()),
            },
            Word(words) => word(words, value),
        }
    }
}

fn word(words: &[&str], value: &str) -> Result<(), String> {
    if words.contains(&value) {
        return Ok(());
    }
    let named: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    Err(suggest::one_of(value, &named, 6))
}

/// The number that a text of a type stands for; times are in seconds.
fn amount(type_name: &str, value: &str) -> Option<f64> {
    match type_name {
        "duration" => parse_go_duration(value),
        "quantity" => parse_quantity(value),
        "float32" | "float64" => values::parse_fraction(value),
        #[allow(clippy::cast_precision_loss)] // bounds are small, and what is far beyond them stays there
        _ => values::parse_integer(value).map(|number| number as f64),
    }
}

fn bounds(least: f64, most: f64, type_name: &str) -> String {
    let unit = if type_name == "duration" { "s" } else { "" };
    match (least, most) {
        (least, most) if least < 1e-3 && least > 0.0 && most == MOST => "write more than 0".to_owned(),
        (least, MOST) => format!("write {least}{unit} or more"),
        (least, most) => format!("write {least}{unit} to {most}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_words_are_those_that_components_start_with() {
        for (program, name, type_name, good, bad) in [
            ("kube-apiserver", "goaway-chance", "float64", &["0", "0.02"][..], &["0.03", "-1"][..]),
            ("kube-apiserver", "request-timeout", "duration", &["0", "1m"], &["-1s"]),
            ("kube-apiserver", "tls-min-version", "string", &["VersionTLS12", ""], &["TLS1.2", "versionTLS12"]),
            ("kube-scheduler", "log-flush-frequency", "duration", &["5s", "1ns"], &["0s", "-1s"]),
            ("kube-scheduler", "logging-format", "string", &["json"], &["JSON", ""]),
            ("kube-controller-manager", "concurrent-job-syncs", "int32", &["1", "0x10"], &["0", "-1"]),
            ("kube-controller-manager", "max-endpoints-per-slice", "int32", &["1000"], &["1001"]),
            ("etcd", "log-level", "string", &["warn"], &["warning", "loud"]),
            ("etcd", "tls-min-version", "string", &["TLS1.2"], &["VersionTLS12"]),
        ] {
            for value in good {
                assert!(check(program, name, type_name, value).is_ok(), "{program} {name} {value}");
            }
            for value in bad {
                assert!(check(program, name, type_name, value).is_err(), "{program} {name} {value}");
            }
        }
        let help = |name, value| check("kube-apiserver", name, "string", value).unwrap_err();
        assert_eq!(help("tls-min-version", "versiontls12"), "did you mean `VersionTLS12`?");
        assert_eq!(bounds(1.0, MOST, "duration"), "write 1s or more");
    }
}
