//! Values in additions to containerd's configuration that have the right type, and with which containerd or its CRI plugins
//! do not start all the same.

use toml::{Table, Value};

use super::super::facts::values::is_duration;
use crate::shape::quoted;
use crate::suggest;

/// What is wrong, and what to write.
type Wrong = (String, String);

const RUNTIME: &str = "io.containerd.cri.v1.runtime";
const IMAGES: &str = "io.containerd.cri.v1.images";
/// Texts that are times.
const TIMES: [(&str, &str); 5] = [
    ("io.containerd.grpc.v1.cri", "stream_idle_timeout"),
    (IMAGES, "image_pull_progress_timeout"),
    (RUNTIME, "drain_exec_sync_io_timeout"),
    (RUNTIME, "stats_collect_period"),
    (RUNTIME, "stats_retention_period"),
];
const LEVELS: [&str; 8] = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];
const PROXIES: [&str; 5] = ["snapshot", "content", "sandbox", "diff", "mount"];
const SHARING: [&str; 2] = ["shared", "isolated"];
/// Snapshotters that are there without more configuration.
const SNAPSHOTTERS: [&str; 4] = ["overlayfs", "native", "erofs", "btrfs"];

pub(super) fn check(table: &Table) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = times(table);
    wrong.extend(word("debug.level", text(table, &["debug", "level"]).map(str::to_lowercase).as_deref(), &LEVELS));
    let policy = ["plugins", "io.containerd.metadata.v1.bolt", "content_sharing_policy"];
    wrong.extend(word("content_sharing_policy", text(table, &policy), &SHARING));
    let proxies = inner(table, &["proxy_plugins"]).into_iter().flatten();
    for (name, proxy) in proxies {
        let kind = proxy.get("type").and_then(Value::as_str);
        wrong.extend(word(&format!("proxy_plugins.{name}.type"), kind, &PROXIES));
    }
    wrong.extend(snapshotter(table));
    wrong.extend(runtime(table));
    wrong.extend(metrics(table));
    wrong
}

fn times(table: &Table) -> Vec<Wrong> {
    let timeouts = inner(table, &["timeouts"]).into_iter().flatten();
    let timeouts = timeouts.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let settings =
        TIMES.into_iter().filter_map(|(plugin, name)| Some((name, text(table, &["plugins", plugin, name])?)));
    let bad = timeouts.chain(settings.filter(|(_, value)| !value.is_empty())).filter(|(_, value)| !is_duration(value));
    bad.map(|(name, value)| {
        (format!("containerd can't read `{value}` as the time `{name}`"), "such as `30s`".to_owned())
    })
    .collect()
}

fn word(name: &str, value: Option<&str>, words: &[&str]) -> Option<Wrong> {
    let value = value.filter(|value| !value.is_empty() && !words.contains(value))?;
    Some((format!("containerd has no `{name}` called `{value}`"), suggest::one_of(value, words, 8)))
}

fn snapshotter(table: &Table) -> Option<Wrong> {
    let name = text(table, &["plugins", IMAGES, "snapshotter"])?;
    let is_own = inner(table, &["proxy_plugins"]).is_some_and(|proxies| proxies.contains_key(name));
    // Others need a configuration of their own, which is then there.
    let is_set_up = inner(table, &["plugins", &format!("io.containerd.snapshotter.v1.{name}")]).is_some();
    let help = format!("one of {}, or one of `proxy_plugins`", quoted(SNAPSHOTTERS.into_iter(), 4));
    let is_known = name.is_empty() || SNAPSHOTTERS.contains(&name) || is_own || is_set_up;
    (!is_known).then(|| (format!("containerd has no snapshotter `{name}`"), help))
}

fn runtime(table: &Table) -> Option<Wrong> {
    let name = text(table, &["plugins", RUNTIME, "containerd", "default_runtime_name"])?;
    let runtimes = inner(table, &["plugins", RUNTIME, "containerd", "runtimes"]);
    // The one that kubewright writes.
    let is_known = name == "runc" || runtimes.is_some_and(|runtimes| runtimes.contains_key(name));
    let help = format!("add `[plugins.\"{RUNTIME}\".containerd.runtimes.{name}]`, or write `runc`");
    (!is_known).then(|| (format!("there is no runtime `{name}` to be the default one"), help))
}

/// Go listens on a host, which may be left out, and a port, which may be a name.
fn metrics(table: &Table) -> Option<Wrong> {
    let places = [&["metrics", "address"][..], &["plugins", "io.containerd.server.v1.metrics", "address"]];
    let address = places.into_iter().find_map(|place| text(table, place)).filter(|address| !address.is_empty())?;
    let message = format!("containerd can't listen on `{address}` for metrics: it has no port");
    (!address.contains(':')).then(|| (message, "such as `127.0.0.1:1338`".to_owned()))
}

fn inner<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(table, |table, name| table.get(*name)?.as_table())
}

fn text<'a>(table: &'a Table, path: &[&str]) -> Option<&'a str> {
    let (last, before) = path.split_last()?;
    inner(table, before)?.get(*last)?.as_str()
}
