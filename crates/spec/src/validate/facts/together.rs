//! Extra flags that need, exclude or bound each other, as the components check them when they start.

use std::collections::BTreeMap;

use super::values;
use crate::format::amounts::{parse_go_duration, parse_quantity};

type Arguments = BTreeMap<String, String>;

/// What is wrong with one flag in the light of others.
pub(super) struct Clash {
    /// The flag to change.
    pub(super) flag: &'static str,
    /// What the component would say.
    pub(super) message: String,
    /// What to write.
    pub(super) help: &'static str,
}

impl Clash {
    fn new(flag: &'static str, message: impl Into<String>, help: &'static str) -> Self {
        Self { flag, message: message.into(), help }
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
}

/// Everything that a component would not start with.
pub(super) fn check(program: &str, setting: &Setting<'_>) -> Vec<Clash> {
    let rules: &[fn(&Arguments) -> Option<Clash>] = match program {
        "kube-apiserver" => &[suites, oidc, inflight, coordinated, token_life, emulation],
        "kube-controller-manager" | "kube-scheduler" => &[suites, leader],
        "etcd" => &[beats, compaction, versions, twice, checkpoints],
        _ => &[],
    };
    let mut clashes: Vec<Clash> = rules.iter().filter_map(|rule| rule(setting.arguments)).collect();
    if program != "etcd" {
        clashes.extend(gated(setting.arguments, setting.is_on));
    }
    if program == "kube-apiserver" {
        clashes.extend(node_port(setting.arguments, setting.node_ports));
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
    let flag = first(arguments, &FLAGS)?;
    let [lease, renew, retry] =
        [(0, 15.0), (1, 10.0), (2, 2.0)].map(|(at, default)| seconds(arguments, FLAGS[at], default));
    let is_good = lease > renew && renew > retry * 1.2 && retry > 0.0;
    let message =
        format!("a lease of {lease} s, its renewal within {renew} s and tries every {retry} s don't go together");
    (!is_good).then(|| {
        Clash::new(flag, message, "the lease is longer than the deadline, and that than 1.2 times the retry period")
    })
}

fn coordinated(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 3] = [
        "coordinated-leadership-lease-duration",
        "coordinated-leadership-renew-deadline",
        "coordinated-leadership-retry-period",
    ];
    let flag = first(arguments, &FLAGS)?;
    let [lease, renew, retry] =
        [(0, 15.0), (1, 10.0), (2, 2.0)].map(|(at, default)| seconds(arguments, FLAGS[at], default));
    let message =
        format!("a lease of {lease} s, its renewal within {renew} s and tries every {retry} s don't go together");
    (lease <= renew || renew <= retry)
        .then(|| Clash::new(flag, message, "the lease is longer than the deadline, and that than the retry period"))
}

fn oidc(arguments: &Arguments) -> Option<Clash> {
    if arguments.contains_key("authentication-config") {
        return None;
    }
    let flag = OIDC.into_iter().find(|flag| arguments.contains_key(*flag))?;
    let is_given = |flag: &str| arguments.get(flag).is_some_and(|value| !value.is_empty());
    let message = "flags of OpenID Connect need `oidc-issuer-url` and `oidc-client-id`";
    (!is_given("oidc-issuer-url") || !is_given("oidc-client-id"))
        .then(|| Clash::new(flag, message, "set both, or remove it"))
}

const OIDC: [&str; 9] = [
    "oidc-ca-file",
    "oidc-client-id",
    "oidc-groups-claim",
    "oidc-groups-prefix",
    "oidc-issuer-url",
    "oidc-required-claim",
    "oidc-signing-algs",
    "oidc-username-claim",
    "oidc-username-prefix",
];

fn inflight(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 2] = ["max-requests-inflight", "max-mutating-requests-inflight"];
    let flag = first(arguments, &FLAGS)?;
    let sum = number(arguments, FLAGS[0], 400) + number(arguments, FLAGS[1], 200);
    (sum == 0)
        .then(|| Clash::new(flag, "no request could ever be served at the same time as none", "raise one of them"))
}

fn token_life(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "service-account-max-token-expiration";
    let life = seconds(arguments, FLAG, 0.0);
    let is_good = life == 0.0 || (3600.0..=4_294_967_296.0).contains(&life);
    (!is_good).then(|| Clash::new(FLAG, "tokens must be let live from an hour to 2^32 seconds", "write `1h` or more"))
}

/// etcd elects after a silence of several heartbeats.
fn beats(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 2] = ["election-timeout", "heartbeat-interval"];
    let flag = first(arguments, &FLAGS)?;
    let (election, beat) = (number(arguments, FLAGS[0], 1000), number(arguments, FLAGS[1], 100));
    let is_good = beat > 0 && 5 * beat <= election && election <= 50_000;
    let message = format!("an election after {election} ms and heartbeats every {beat} ms don't go together");
    (!is_good).then(|| Clash::new(flag, message, "the timeout is five intervals or more, and 50000 at most"))
}

fn compaction(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "auto-compaction-retention";
    let value = arguments.get(FLAG)?;
    let is_count = value.parse::<i64>().is_ok_and(|count| count >= 0);
    let message = format!("etcd can't read `{value}` as what is kept of its history");
    (!is_count && !values::is_duration(value))
        .then(|| Clash::new(FLAG, message, "a number of hours or of revisions, or a time such as `30m`"))
}

fn versions(arguments: &Arguments) -> Option<Clash> {
    let (least, most) = ("tls-min-version", "tls-max-version");
    let is = |flag: &str, version: &str| arguments.get(flag).is_some_and(|value| value == version);
    if is(least, "TLS1.3") && is(most, "TLS1.2") {
        return Some(Clash::new(least, "the least version of TLS is above the most", "make them equal, or swap them"));
    }
    let suites = arguments.get("cipher-suites").is_some_and(|suites| !suites.is_empty());
    (is(least, "TLS1.3") && suites)
        .then(|| Clash::new("cipher-suites", "with TLS 1.3 alone there are no suites to choose", "remove them"))
}

/// HTTP/2 wants one of two suites.
fn suites(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "tls-cipher-suites";
    const WANTED: [&str; 2] = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    let list = arguments.get(FLAG).filter(|list| !list.is_empty())?;
    let is = |flag: &str, text: &str| arguments.get(flag).is_some_and(|value| value == text);
    let is_http_1 = arguments.get("disable-http2-serving").and_then(|value| values::parse_bool(value)) == Some(true);
    let is_free = is("tls-min-version", "VersionTLS13") || is_http_1;
    let is_good = is_free || list.split(',').any(|suite| WANTED.contains(&suite));
    (!is_good).then(|| {
        Clash::new(FLAG, "HTTP/2 has no suite that it can do with", "add `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`")
    })
}

/// What is tried out only with a feature gate.
fn gated(arguments: &Arguments, is_on: &dyn Fn(&str) -> bool) -> Vec<Clash> {
    const ALPHA: (&str, &str) =
        ("LoggingAlphaOptions", "switch on the feature gate `LoggingAlphaOptions`, or remove it");
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
    let off = used.filter(|(_, (gate, _))| !is_on(gate));
    off.map(|(flag, (gate, help))| Clash::new(flag, format!("`{flag}` needs the feature gate `{gate}`"), help))
        .collect()
}

/// Versions are not emulated unless somebody says which.
fn emulation(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 2] = ["emulation-forward-compatible", "runtime-config-emulation-forward-compatible"];
    let is_on = |flag: &&str| arguments.get(*flag).and_then(|value| values::parse_bool(value)) == Some(true);
    let flag = FLAGS.into_iter().find(|flag| is_on(flag))?;
    let help = "set `emulated-version` to an earlier minor, or remove it";
    (!arguments.contains_key("emulated-version"))
        .then(|| Clash::new(flag, "no earlier minor is emulated, so there is nothing to be compatible with", help))
}

/// The Service of the API itself has a port of the range of all others.
fn node_port(arguments: &Arguments, range: (u16, u16)) -> Option<Clash> {
    const FLAG: &str = "kubernetes-service-node-port";
    let port = number(arguments, FLAG, 0);
    let is_good = port == 0 || (i128::from(range.0)..=i128::from(range.1)).contains(&port);
    let message = format!("{port} is none of the ports {} to {} for Services", range.0, range.1);
    (!is_good).then(|| Clash::new(FLAG, message, "choose one of `spec.kubeAPIServer.serviceNodePortRange`"))
}

/// Flags of etcd that were called otherwise, and are called so by kubewright.
const OURS: [(&str, &str); 1] = [("experimental-watch-progress-notify-interval", "watch-progress-notify-interval")];
/// Flags of etcd that are feature gates now.
const GATES: [(&str, &str); 6] = [
    ("experimental-compact-hash-check-enabled", "CompactHashCheck"),
    ("experimental-enable-lease-checkpoint", "LeaseCheckpoint"),
    ("experimental-enable-lease-checkpoint-persist", "LeaseCheckpointPersist"),
    ("experimental-initial-corrupt-check", "InitialCorruptCheck"),
    ("experimental-stop-grpc-service-on-defrag", "StopGRPCServiceOnDefrag"),
    ("experimental-txn-mode-write-with-shared-buffer", "TxnModeWriteWithSharedBuffer"),
];

/// A flag under both its names.
fn twice(arguments: &Arguments) -> Option<Clash> {
    let renamed = OURS.into_iter().find(|(old, _)| arguments.contains_key(*old));
    if let Some((old, new)) = renamed {
        return Some(Clash::new(
            old,
            format!("etcd does not start with `{old}` beside `{new}`"),
            "use the flag without `experimental-`",
        ));
    }
    // kubewright's own is there where the user's gates don't name it.
    let gates = arguments.get("feature-gates").map_or("", String::as_str);
    let both = |(flag, gate): &(&str, &str)| {
        arguments.contains_key(*flag) && (gates.contains(gate) || *gate == "InitialCorruptCheck")
    };
    let (flag, gate) = GATES.into_iter().find(both)?;
    let message = format!("etcd does not start with `{flag}` beside the feature gate `{gate}`");
    Some(Clash::new(flag, message, "set the gate in `feature-gates` instead"))
}

/// What is kept of leases needs leases that are kept.
fn checkpoints(arguments: &Arguments) -> Option<Clash> {
    let (flag, gates) = ("experimental-enable-lease-checkpoint-persist", "feature-gates");
    let is_flag = |flag: &str| arguments.get(flag).and_then(|value| values::parse_bool(value)) == Some(true);
    let is_gate = |name: &str| {
        let all = arguments.get(gates).map_or("", String::as_str);
        all.split(',')
            .filter_map(|pair| pair.split_once('='))
            .any(|(gate, on)| gate == name && values::parse_bool(on) == Some(true))
    };
    let persists = is_flag(flag) || is_gate("LeaseCheckpointPersist");
    let keeps = is_flag("experimental-enable-lease-checkpoint") || is_gate("LeaseCheckpoint");
    let at = if arguments.contains_key(flag) { flag } else { gates };
    (persists && !keeps)
        .then(|| Clash::new(at, "`LeaseCheckpointPersist` needs `LeaseCheckpoint`", "switch both on, or none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags that are complained about where no gate is on.
    fn at(program: &str, arguments: &[(&str, &str)]) -> Vec<&'static str> {
        let arguments = arguments.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())).collect();
        let setting = Setting { arguments: &arguments, is_on: &|_| false, node_ports: (30_000, 32_767) };
        check(program, &setting).into_iter().map(|clash| clash.flag).collect()
    }

    #[test]
    fn flags_of_the_api_server_fit_each_other() {
        for (given, wanted) in [
            (&[("oidc-client-id", "x")][..], Some("oidc-client-id")),
            (&[("oidc-client-id", "x"), ("oidc-issuer-url", "https://a")], None),
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
            (&[("tls-min-version", "TLS1.3"), ("tls-max-version", "TLS1.2")], Some("tls-min-version")),
            (&[("experimental-initial-corrupt-check", "true")], Some("experimental-initial-corrupt-check")),
            (
                &[("experimental-watch-progress-notify-interval", "5s")],
                Some("experimental-watch-progress-notify-interval"),
            ),
            (&[("feature-gates", "LeaseCheckpointPersist=true")], Some("feature-gates")),
            (&[("feature-gates", "LeaseCheckpointPersist=true,LeaseCheckpoint=true")], None),
        ] {
            assert_eq!(at("etcd", given), wanted.into_iter().collect::<Vec<_>>(), "{given:?}");
        }
    }
}
