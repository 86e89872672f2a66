//! Extra flags that need, exclude or bound each other, as the components check them when they start.

use std::collections::BTreeMap;

use super::{forms, values};
use crate::format::amounts::{parse_go_duration, parse_quantity};

mod api_server;
mod audit;
mod etcd;

type Arguments = BTreeMap<String, String>;

/// What is wrong with one flag in the light of others.
pub(super) struct Clash {
    /// The flag to change.
    pub(super) flag: String,
    /// What the component would say.
    pub(super) message: String,
    /// What to write.
    pub(super) help: String,
}

impl Clash {
    fn new(flag: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { flag: flag.into(), message: message.into(), help: help.into() }
    }
}

/// What flags are looked at with.
pub(super) struct Setting<'a> {
    /// The flags.
    pub(super) arguments: &'a Arguments,
    /// Whether a feature gate of the component is on.
    pub(super) is_on: &'a dyn Fn(&str) -> bool,
    /// First and last port for Services.
    pub(super) node_ports: (u16, u16),
    /// Minor version of Kubernetes.
    pub(super) minor: u32,
    /// There is a log of requests.
    pub(super) audits: bool,
    /// Secrets are stored encrypted.
    pub(super) encrypts: bool,
    /// Pods have IPv6 addresses.
    pub(super) has_ipv6: bool,
}

/// Everything that a component would not start with.
pub(super) fn check(program: &str, setting: &Setting<'_>) -> Vec<Clash> {
    let arguments = setting.arguments;
    if program == "etcd" {
        return etcd::check(arguments);
    }
    let mut clashes: Vec<Clash> = suites(arguments).into_iter().collect();
    clashes.extend(gated(arguments, setting.is_on));
    clashes.extend(metric_labels(setting));
    clashes.extend(compatibility(setting));
    match program {
        "kube-apiserver" => clashes.extend(api_server::check(setting)),
        "kube-controller-manager" => {
            clashes.extend([leader(arguments), mask(setting), burst(arguments)].into_iter().flatten());
        }
        "kube-scheduler" => clashes.extend([leader(arguments), burst(arguments)].into_iter().flatten()),
        _ => {}
    }
    clashes
}

/// The first of some flags that is given: the place of a complaint about all of them.
fn first(arguments: &Arguments, flags: &[&'static str]) -> Option<&'static str> {
    flags.iter().copied().find(|flag| arguments.contains_key(*flag))
}

fn seconds(arguments: &Arguments, flag: &str, default: f64) -> f64 {
    arguments.get(flag).and_then(|value| parse_go_duration(value)).unwrap_or(default)
}

fn number(arguments: &Arguments, flag: &str, default: i128) -> i128 {
    arguments.get(flag).and_then(|value| values::parse_integer(value)).unwrap_or(default)
}

/// kube-controller-manager and kube-scheduler elect one of theirs.
fn leader(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 3] =
        ["leader-elect-lease-duration", "leader-elect-renew-deadline", "leader-elect-retry-period"];
    let is_good = |[lease, renew, retry]: [f64; 3]| lease > renew && renew > retry * 1.2 && retry > 0.0;
    let help = "the lease is longer than the deadline, and that than 1.2 times the retry period";
    lease(arguments, &FLAGS, is_good, help)
}

/// How long a lease is, its renewal may take, and between tries of it.
fn lease(
    arguments: &Arguments,
    flags: &[&'static str; 3],
    is_good: fn([f64; 3]) -> bool,
    help: &'static str,
) -> Option<Clash> {
    let flag = first(arguments, flags)?;
    let times = [(0, 15.0), (1, 10.0), (2, 2.0)].map(|(at, default)| seconds(arguments, flags[at], default));
    let [lease, renew, retry] = times;
    let message =
        format!("a lease of {lease} s, its renewal within {renew} s and tries every {retry} s don't go together");
    (!is_good(times)).then(|| Clash::new(flag, message, help))
}

/// Requests to the API are limited in a second, and at once. What nobody says lets some through.
fn burst(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "kube-api-burst";
    let burst = values::parse_integer(arguments.get(FLAG)?)?;
    let rate = arguments.get("kube-api-qps").and_then(|value| values::parse_fraction(value));
    (burst <= 0 && rate.is_none_or(|rate| rate > 0.0))
        .then(|| Clash::new(FLAG, "no request to the API could ever be made", "write 1 or more"))
}

/// Labels of metrics are said by a flag or in a file.
fn metric_labels(setting: &Setting<'_>) -> Option<Clash> {
    const FLAGS: [&str; 2] = ["allow-metric-labels", "allow-metric-labels-manifest"];
    let [labels, file] = FLAGS.map(|flag| setting.arguments.get(flag).is_some_and(|value| !value.is_empty()));
    let message = "`allow-metric-labels` and `allow-metric-labels-manifest` exclude each other";
    // Looked at since 1.36.
    (labels && file && setting.minor >= 36).then(|| Clash::new(FLAGS[0], message, "keep one of them"))
}

/// What a component is compatible with is no later than what it emulates, its own minor where nobody says anything.
fn compatibility(setting: &Setting<'_>) -> Option<Clash> {
    const FLAG: &str = "min-compatibility-version";
    let minor =
        |flag: &str| values::string_slice(setting.arguments.get(flag)?)?.first().and_then(|one| forms::minor_of(one));
    let (least, emulated) = (minor(FLAG)?, minor("emulated-version").unwrap_or(setting.minor));
    let message = format!("compatibility with 1.{least} is asked of a component that emulates 1.{emulated}");
    (least > emulated).then(|| Clash::new(FLAG, message, format!("write `1.{emulated}` or an earlier minor")))
}

/// Switches the controller off that cuts ranges for nodes, by either of its names.
const NODE_RANGES: [&str; 2] = ["-node-ipam-controller", "-nodeipam"];

/// Nodes get ranges of the families that pods have addresses of.
fn mask(setting: &Setting<'_>) -> Option<Clash> {
    const FLAG: &str = "node-cidr-mask-size-ipv6";
    let cuts =
        setting.arguments.get("controllers").is_none_or(|list| !list.split(',').any(|one| NODE_RANGES.contains(&one)));
    let is_wrong = cuts && !setting.has_ipv6 && number(setting.arguments, FLAG, 0) != 0;
    is_wrong.then(|| Clash::new(FLAG, "pods of this cluster have no IPv6 addresses to cut ranges from", "remove it"))
}

/// HTTP/2 wants one of two suites.
fn suites(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "tls-cipher-suites";
    const WANTED: [&str; 2] = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    let list = arguments.get(FLAG).filter(|list| !list.is_empty())?;
    let is = |flag: &str, text: &str| arguments.get(flag).is_some_and(|value| value == text);
    let is_http_1 = arguments.get("disable-http2-serving").and_then(|value| values::parse_bool(value)) == Some(true);
    let is_free = is("tls-min-version", "VersionTLS13") || is_http_1;
    let suites = values::string_slice(list)?;
    let is_good = is_free || suites.iter().any(|suite| WANTED.contains(&suite.as_str()));
    (!is_good).then(|| {
        Clash::new(FLAG, "HTTP/2 has no suite that it can do with", "add `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`")
    })
}

/// What is tried out only with a feature gate.
fn gated(arguments: &Arguments, is_on: &dyn Fn(&str) -> bool) -> Vec<Clash> {
    const ALPHA: (&str, &str) =
        ("LoggingAlphaOptions", "switch on the feature gate `LoggingAlphaOptions`, or remove it");
    const BETA: (&str, &str) = ("LoggingBetaOptions", "switch on the feature gate `LoggingBetaOptions`, or remove it");
    const PROXY: (&str, &str) = (
        "UnknownVersionInteroperabilityProxy",
        "switch on the feature gate `UnknownVersionInteroperabilityProxy`, or remove it",
    );
    const UID: (&str, &str) =
        ("RemoteRequestHeaderUID", "switch on the feature gate `RemoteRequestHeaderUID`, or remove it");
    let is_plain = |value: &String| {
        value.is_empty() || values::parse_bool(value) == Some(false) || parse_quantity(value) == Some(0.0)
    };
    let flags = [
        ("log-json-info-buffer-size", ALPHA),
        ("log-json-split-stream", ALPHA),
        ("log-text-info-buffer-size", ALPHA),
        ("log-text-split-stream", ALPHA),
        ("peer-advertise-ip", PROXY),
        ("peer-advertise-port", PROXY),
        ("peer-ca-file", PROXY),
        ("requestheader-uid-headers", UID),
    ];
    let used = flags.into_iter().filter(|(flag, _)| arguments.get(*flag).is_some_and(|value| !is_plain(value)));
    let json = arguments.get("logging-format").is_some_and(|format| format == "json");
    let used = used.chain(json.then_some(("logging-format", BETA)));
    let off = used.filter(|(_, (gate, _))| !is_on(gate));
    off.map(|(flag, (gate, help))| Clash::new(flag, format!("`{flag}` needs the feature gate `{gate}`"), help))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags that are complained about where no gate is on.
    fn at(program: &str, arguments: &[(&str, &str)]) -> Vec<String> {
        let arguments = arguments.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())).collect();
        let setting = Setting {
            arguments: &arguments,
            is_on: &|_| false,
            node_ports: (30_000, 32_767),
            minor: 36,
            audits: true,
            encrypts: false,
            has_ipv6: false,
        };
        check(program, &setting).into_iter().map(|clash| clash.flag).collect()
    }

    #[test]
    fn flags_of_the_api_server_fit_each_other() {
        for (given, wanted) in [
            (&[("oidc-client-id", "x")][..], Some("oidc-client-id")),
            (&[("oidc-client-id", "x"), ("oidc-issuer-url", "https://a")], None),
            (&[("oidc-client-id", "x"), ("authentication-config", "/a")], Some("oidc-client-id")),
            (&[("authentication-config", "/a")], None),
            (
                &[("encryption-provider-config-automatic-reload", "T")],
                Some("encryption-provider-config-automatic-reload"),
            ),
            (&[("encryption-provider-config-automatic-reload", "false")], None),
            (&[("runtime-config", "api/all=false,apps/v1=true")], Some("runtime-config")),
            (&[("runtime-config", "api/ga=false"), ("enable-priority-and-fairness", "F")], None),
            (&[("runtime-config", "api/beta=false,flowcontrol.apiserver.k8s.io/v1=true")], None),
            (&[("logging-format", "json")], Some("logging-format")),
            (&[("logging-format", "text")], None),
            (&[("max-requests-inflight", "0")], None),
            (&[("max-requests-inflight", "0"), ("max-mutating-requests-inflight", "0")], Some("max-requests-inflight")),
            (&[("service-account-max-token-expiration", "30m")], Some("service-account-max-token-expiration")),
            (&[("service-account-max-token-expiration", "2h")], None),
            (&[("coordinated-leadership-renew-deadline", "20s")], Some("coordinated-leadership-renew-deadline")),
            (&[("emulation-forward-compatible", "t")], Some("emulation-forward-compatible")),
            (&[("emulation-forward-compatible", "false")], None),
            (&[("kubernetes-service-node-port", "15")], Some("kubernetes-service-node-port")),
            (&[("kubernetes-service-node-port", "30443")], None),
            (&[("log-json-split-stream", "T")], Some("log-json-split-stream")),
            (&[("log-json-split-stream", "F"), ("log-text-info-buffer-size", "0")], None),
            (&[("tls-cipher-suites", "TLS_RSA_WITH_AES_128_CBC_SHA")], Some("tls-cipher-suites")),
            (&[("tls-cipher-suites", "TLS_AES_128_GCM_SHA256"), ("tls-min-version", "VersionTLS13")], None),
        ] {
            assert_eq!(at("kube-apiserver", given), wanted.into_iter().collect::<Vec<_>>(), "{given:?}");
        }
    }

    #[test]
    fn flags_about_audits_are_looked_at_where_there_is_a_log_or_a_service() {
        for (given, wanted) in [
            (&[("audit-log-mode", "batch")][..], None),
            (&[("audit-log-mode", "async")], Some("audit-log-mode")),
            (&[("audit-log-format", "legacy"), ("audit-log-version", "audit.k8s.io/v1")], None),
            (&[("audit-log-format", "JSON")], Some("audit-log-format")),
            (&[("audit-log-version", "v1")], Some("audit-log-version")),
            (&[("audit-log-batch-buffer-size", "0")], None),
            (&[("audit-log-mode", "batch"), ("audit-log-batch-buffer-size", "0")], Some("audit-log-batch-buffer-size")),
            (
                &[("audit-log-mode", "batch"), ("audit-log-batch-throttle-enable", "1")],
                Some("audit-log-batch-throttle-enable"),
            ),
            (&[("audit-log-truncate-max-batch-size", "10")], Some("audit-log-truncate-max-batch-size")),
            (&[("audit-log-truncate-max-event-size", "99999999")], Some("audit-log-truncate-max-event-size")),
            (&[("audit-log-truncate-max-event-size", "0")], Some("audit-log-truncate-max-event-size")),
            (&[("audit-webhook-mode", "async"), ("audit-webhook-batch-max-size", "0")], None),
            (&[("audit-webhook-config-file", "/a"), ("audit-webhook-mode", "async")], Some("audit-webhook-mode")),
            (
                &[("audit-webhook-config-file", "/a"), ("audit-webhook-batch-throttle-burst", "0")],
                Some("audit-webhook-batch-throttle-burst"),
            ),
            (&[("audit-webhook-config-file", "/a"), ("audit-webhook-mode", "blocking")], None),
        ] {
            assert_eq!(at("kube-apiserver", given), wanted.into_iter().collect::<Vec<_>>(), "{given:?}");
        }
    }

    #[test]
    fn nodes_get_no_ranges_of_a_family_that_pods_lack() {
        let flag = "node-cidr-mask-size-ipv6";
        assert_eq!(at("kube-controller-manager", &[(flag, "64")]), [flag]);
        assert_eq!(at("kube-controller-manager", &[(flag, "0")]), [""; 0]);
        assert_eq!(at("kube-controller-manager", &[(flag, "64"), ("controllers", "*,-nodeipam")]), [""; 0]);
    }

    #[test]
    fn flags_of_programs_that_elect_one_of_theirs_fit_each_other() {
        for program in ["kube-controller-manager", "kube-scheduler"] {
            assert_eq!(at(program, &[("kube-api-burst", "0")]), ["kube-api-burst"]);
            assert_eq!(at(program, &[("kube-api-burst", "0"), ("kube-api-qps", "-1")]), [""; 0]);
            assert_eq!(at(program, &[("kube-api-burst", "1")]), [""; 0]);
            let versions =
                |emulated, least| at(program, &[("emulated-version", emulated), ("min-compatibility-version", least)]);
            assert_eq!(versions("1.34", "kube=1.35"), ["min-compatibility-version"]);
            assert_eq!((versions("1.35", "1.35"), versions("kube=1.35", "1.34")), (Vec::new(), Vec::new()));
            let both = [("allow-metric-labels", "a,b=c"), ("allow-metric-labels-manifest", "/a")];
            assert_eq!(at(program, &both), ["allow-metric-labels"]);
        }
    }

    #[test]
    fn a_lease_is_longer_than_its_renewal_takes() {
        let election = |lease, renew, retry| {
            let names = ["leader-elect-lease-duration", "leader-elect-renew-deadline", "leader-elect-retry-period"];
            at("kube-scheduler", &[(names[0], lease), (names[1], renew), (names[2], retry)])
        };
        assert_eq!(election("60s", "40s", "5s"), [""; 0]);
        for (lease, renew, retry) in
            [("10s", "10s", "2s"), ("15s", "2s", "2s"), ("15s", "10s", "9s"), ("15s", "10s", "0")]
        {
            assert_eq!(election(lease, renew, retry), ["leader-elect-lease-duration"]);
        }
        assert_eq!(
            at("kube-controller-manager", &[("leader-elect-renew-deadline", "30s")]),
            ["leader-elect-renew-deadline"]
        );
    }

    #[test]
    fn flags_of_etcd_fit_each_other() {
        for (given, wanted) in [
            (&[("heartbeat-interval", "200"), ("election-timeout", "2000")][..], None),
            (&[("heartbeat-interval", "500")], Some("heartbeat-interval")),
            (&[("election-timeout", "60000")], Some("election-timeout")),
            (&[("auto-compaction-retention", "1.5")], Some("auto-compaction-retention")),
            (&[("auto-compaction-retention", "30m")], None),
            (&[("auto-compaction-retention", "")], None),
            (&[("enable-log-rotation", "true")], Some("enable-log-rotation")),
            (&[("enable-log-rotation", "true"), ("log-outputs", "/a,/b")], Some("enable-log-rotation")),
            (&[("enable-log-rotation", "true"), ("log-outputs", "/a,stderr")], None),
            (&[("log-outputs", "default,stderr")], Some("log-outputs")),
            (&[("log-outputs", "stdout,stderr")], None),
            (&[("distributed-tracing-sampling-rate", "1000001")], None),
            (
                &[("enable-distributed-tracing", "T"), ("distributed-tracing-sampling-rate", "1000001")],
                Some("distributed-tracing-sampling-rate"),
            ),
            (&[("enable-distributed-tracing", "T"), ("distributed-tracing-sampling-rate", "1000000")], None),
            (&[("listen-client-http-urls", "https://127.0.0.1:2379")], Some("listen-client-http-urls")),
            (
                &[("listen-client-http-urls", "http://127.0.0.1:2382,http://127.0.0.1:2381")],
                Some("listen-client-http-urls"),
            ),
            (&[("listen-client-http-urls", "https://127.0.0.1:2382")], None),
            (&[("tls-min-version", "TLS1.3"), ("tls-max-version", "TLS1.2")], Some("tls-min-version")),
            (&[("experimental-initial-corrupt-check", "true")], Some("experimental-initial-corrupt-check")),
            (
                &[("experimental-watch-progress-notify-interval", "5s")],
                Some("experimental-watch-progress-notify-interval"),
            ),
            (&[("feature-gates", "LeaseCheckpointPersist=true")], Some("feature-gates")),
            (&[("feature-gates", "LeaseCheckpointPersist=true,LeaseCheckpoint=true")], None),
            (&[("feature-gates", "LeaseCheckpointPersist=true,AllAlpha=true")], None),
            (&[("feature-gates", "AllAlpha=true,LeaseCheckpoint=false")], Some("feature-gates")),
        ] {
            assert_eq!(at("etcd", given), wanted.into_iter().collect::<Vec<_>>(), "{given:?}");
        }
    }
}
