//! Extra flags of etcd that need, exclude or bound each other.

use std::collections::BTreeSet;

use catalog::Stage;

use super::super::values;
use super::{Arguments, Clash, first, number};
use crate::validate::gates;

pub(super) fn check(arguments: &Arguments) -> Vec<Clash> {
    let rules: [fn(&Arguments) -> Option<Clash>; 9] =
        [beats, compaction, versions, twice, checkpoints, outputs, rotation, traces, listeners];
    rules.iter().filter_map(|rule| rule(arguments)).collect()
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
    // The empty text is the default.
    let value = arguments.get(FLAG).filter(|value| !value.is_empty())?;
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
    const GATES_FLAG: &str = "feature-gates";
    let flag = "experimental-enable-lease-checkpoint-persist";
    let is_flag = |flag: &str| arguments.get(flag).and_then(|value| values::parse_bool(value)) == Some(true);
    let is_gate = |name: &str| {
        let all = arguments.get(GATES_FLAG).map_or("", String::as_str);
        let given = |gate: &str| {
            let mut pairs = all.split(',').filter_map(|pair| pair.split_once('='));
            pairs.rfind(|(name, _)| name.trim() == gate).and_then(|(_, on)| values::parse_bool(on.trim()))
        };
        // Both are alpha, and off where nobody says otherwise.
        gates::is_on(given, (name, Some(Stage::Alpha)), false)
    };
    let persists = is_flag(flag) || is_gate("LeaseCheckpointPersist");
    let keeps = is_flag("experimental-enable-lease-checkpoint") || is_gate("LeaseCheckpoint");
    let at = if arguments.contains_key(flag) { flag } else { GATES_FLAG };
    (persists && !keeps)
        .then(|| Clash::new(at, "`LeaseCheckpointPersist` needs `LeaseCheckpoint`", "switch both on, or none"))
}

/// Where etcd writes its log if nobody says.
const DEFAULT_LOG: &str = "default";

/// Where etcd writes its log, each place once.
fn logs(arguments: &Arguments) -> BTreeSet<&str> {
    arguments.get("log-outputs").map_or(DEFAULT_LOG, String::as_str).split(',').collect()
}

/// The default place is the only one, or none.
fn outputs(arguments: &Arguments) -> Option<Clash> {
    let logs = logs(arguments);
    (logs.len() > 1 && logs.contains(DEFAULT_LOG)).then(|| {
        Clash::new(
            "log-outputs",
            "`default` does not go together with other places",
            "write `stderr` instead of `default`",
        )
    })
}

/// Only one file is rotated.
fn rotation(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "enable-log-rotation";
    let logs = logs(arguments);
    let files = logs.iter().filter(|one| !matches!(**one, DEFAULT_LOG | "stderr" | "stdout")).count();
    let is_on = arguments.get(FLAG).and_then(|value| values::parse_bool(value)) == Some(true);
    (is_on && (files > 1 || (files == 0 && logs.len() == 1))).then(|| {
        let message = format!("etcd rotates one file, and `log-outputs` names {files}");
        Clash::new(FLAG, message, "name one file in `log-outputs`, or remove it")
    })
}

/// How many of a million requests are traced.
fn traces(arguments: &Arguments) -> Option<Clash> {
    const SWITCHES: [&str; 2] = ["enable-distributed-tracing", "experimental-enable-distributed-tracing"];
    const RATES: [&str; 2] = ["distributed-tracing-sampling-rate", "experimental-distributed-tracing-sampling-rate"];
    let is_on = |flag: &&str| arguments.get(*flag).and_then(|value| values::parse_bool(value)) == Some(true);
    SWITCHES.iter().find(|flag| is_on(flag))?;
    let flag = first(arguments, &RATES)?;
    let rate = number(arguments, flag, 0);
    let message = format!("{rate} of a million requests can't be traced");
    (!(0..=1_000_000).contains(&rate)).then(|| Clash::new(flag, message, "write 0 to 1000000"))
}

/// What etcd serves to clients and of its metrics is served at addresses of kubewright's.
fn listeners(arguments: &Arguments) -> Option<Clash> {
    const FLAG: &str = "listen-client-http-urls";
    const HOSTS: [&str; 6] = ["127.0.0.1", "localhost", "0.0.0.0", "[::]", "[::1]", ""];
    let is_taken = |url: &&str| {
        let address = url.split_once("://").map_or("", |(_, address)| address);
        address.rsplit_once(':').is_some_and(|(host, port)| HOSTS.contains(&host) && matches!(port, "2379" | "2381"))
    };
    let url = arguments.get(FLAG)?.split(',').map(str::trim).find(is_taken)?;
    Some(Clash::new(FLAG, format!("etcd already listens at the port of {url}"), "choose another port, such as 2382"))
}
