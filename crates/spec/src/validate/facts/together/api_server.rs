//! Extra flags of kube-apiserver that need, exclude or bound each other, or what kubewright sets.

use super::super::values;
use super::{Arguments, Clash, Setting, audit, first, lease, number, seconds};

pub(super) fn check(setting: &Setting<'_>) -> Vec<Clash> {
    let rules: [fn(&Arguments) -> Option<Clash>; 6] = [oidc, inflight, coordinated, token_life, emulation, fairness];
    let mut clashes: Vec<Clash> = rules.iter().filter_map(|rule| rule(setting.arguments)).collect();
    clashes.extend(node_port(setting.arguments, setting.node_ports));
    clashes.extend(reload(setting));
    clashes.extend(audit::check(setting));
    clashes
}

fn coordinated(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 3] = [
        "coordinated-leadership-lease-duration",
        "coordinated-leadership-renew-deadline",
        "coordinated-leadership-retry-period",
    ];
    let help = "the lease is longer than the deadline, and that than the retry period";
    lease(arguments, &FLAGS, |[lease, renew, retry]| lease > renew && renew > retry, help)
}

/// OpenID Connect is told of by flags or in a file, and whole.
fn oidc(arguments: &Arguments) -> Option<Clash> {
    let flag = OIDC.into_iter().find(|flag| arguments.contains_key(*flag))?;
    let is_given = |flag: &str| arguments.get(flag).is_some_and(|value| !value.is_empty());
    if is_given("authentication-config") {
        let message = format!("`{flag}` and `authentication-config` exclude each other");
        return Some(Clash::new(flag, message, "say it in the file, and remove the flag"));
    }
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

/// Versions are not emulated unless somebody says which.
fn emulation(arguments: &Arguments) -> Option<Clash> {
    const FLAGS: [&str; 2] = ["emulation-forward-compatible", "runtime-config-emulation-forward-compatible"];
    let is_on = |flag: &&str| arguments.get(*flag).and_then(|value| values::parse_bool(value)) == Some(true);
    let flag = FLAGS.into_iter().find(|flag| is_on(flag))?;
    let help = "set `emulated-version` to an earlier minor, or remove it";
    (!arguments.contains_key("emulated-version"))
        .then(|| Clash::new(flag, "no earlier minor is emulated, so there is nothing to be compatible with", help))
}

/// Requests are queued by what an API of its own says, which is there then.
fn fairness(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "runtime-config";
    const NEEDED: [&str; 3] = ["flowcontrol.apiserver.k8s.io/v1", "api/ga", "api/all"];
    let is_off = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, on)| NEEDED.contains(&name.trim()) && on.trim() == "false")
    };
    let queues =
        arguments.get("enable-priority-and-fairness").and_then(|value| values::parse_bool(value)) != Some(false);
    let pair = arguments.get(FLAG)?.split(',').find(|pair| is_off(pair)).filter(|_| queues)?;
    let message = format!("`{}` does not go with `enable-priority-and-fairness`, which is on by itself", pair.trim());
    Some(Clash::new(FLAG, message, "remove it, or set `enable-priority-and-fairness` to `false`"))
}

/// The Service of the API itself has a port of the range of all others.
fn node_port(arguments: &Arguments, range: (u16, u16)) -> Option<Clash> {
    const FLAG: &str = "kubernetes-service-node-port";
    let port = number(arguments, FLAG, 0);
    let is_good = port == 0 || (i128::from(range.0)..=i128::from(range.1)).contains(&port);
    let message = format!("{port} is none of the ports {} to {} for Services", range.0, range.1);
    (!is_good).then(|| Clash::new(FLAG, message, "choose one of `spec.kubeAPIServer.serviceNodePortRange`"))
}

/// Keys for Secrets are read again only where there are some.
fn reload(setting: &Setting<'_>) -> Option<Clash> {
    const FLAG: &str = "encryption-provider-config-automatic-reload";
    let is_on = setting.arguments.get(FLAG).and_then(|value| values::parse_bool(value)) == Some(true);
    let message = "there are no keys for Secrets that could be read again";
    (is_on && !setting.encrypts)
        .then(|| Clash::new(FLAG, message, "choose an `encryptionAtRest.provider`, or remove it"))
}
