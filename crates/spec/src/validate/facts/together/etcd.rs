//! Extra flags of etcd that need, exclude or bound each other.

use super::super::values;
use super::{Arguments, Clash, first, number};

pub(super) fn check(arguments: &Arguments) -> Vec<Clash> {
    let rules: [fn(&Arguments) -> Option<Clash>; 5] = [beats, compaction, versions, twice, checkpoints];
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
        let given = |gate: &str| {
            let mut pairs = all.split(',').filter_map(|pair| pair.split_once('='));
            pairs.rfind(|(name, _)| name.trim() == gate).and_then(|(_, on)| values::parse_bool(on.trim()))
        };
        // Both are alpha.
        given(name).or_else(|| given("AllAlpha")) == Some(true)
    };
    let persists = is_flag(flag) || is_gate("LeaseCheckpointPersist");
    let keeps = is_flag("experimental-enable-lease-checkpoint") || is_gate("LeaseCheckpoint");
    let at = if arguments.contains_key(flag) { flag } else { gates };
    (persists && !keeps)
        .then(|| Clash::new(at, "`LeaseCheckpointPersist` needs `LeaseCheckpoint`", "switch both on, or none"))
}
