//! What went before the newest minor, from the sources of those before it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::workspace::{output, root};

/// The oldest minor whose sources are read.
const SINCE: u32 = 16;
/// Flags about log files that every component had from its logging library until 1.26.
const LOGGING: (u32, [&str; 10]) = (
    26,
    [
        "add-dir-header",
        "alsologtostderr",
        "log-backtrace-at",
        "log-dir",
        "log-file",
        "log-file-max-size",
        "logtostderr",
        "one-output",
        "skip-headers",
        "stderrthreshold",
    ],
);
/// Flags of serving without TLS, which kube-apiserver had until 1.24 and its library's sources until 1.31.
const INSECURE: (u32, [&str; 4]) = (24, ["address", "insecure-bind-address", "insecure-port", "port"]);
/// Components whose flags users can give.
const COMPONENTS: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Names of one kind by the last minor that has them.
type Last = BTreeMap<String, u32>;

/// What was there, by kind: `gates`, `admissionPlugins`, or the component whose flags they are.
#[derive(Default)]
struct Names(BTreeMap<String, Last>);

impl Names {
    fn add<'a>(&mut self, kind: &str, minor: u32, names: impl Iterator<Item = &'a String>) {
        let last = self.0.entry(kind.to_owned()).or_default();
        last.extend(names.map(|name| (name.clone(), minor)));
    }

    /// Those that the newest minor lacks, with the first minor that does.
    fn gone(&self, kind: &str, newest: u32) -> BTreeMap<&str, u32> {
        let all = self.0.get(kind).into_iter().flatten();
        all.filter(|(_, last)| **last < newest).map(|(name, last)| (name.as_str(), last + 1)).collect()
    }
}

/// What the newest minor, of which these are the facts, has no more.
pub(super) fn gone(facts: &Value) -> Result<Value> {
    let newest = facts["kubernetes"].as_str().and_then(|version| version.split('.').nth(1)?.parse().ok());
    let newest: u32 = newest.context("the facts name no version")?;
    let mut names = Names::default();
    let scratch = tempfile::tempdir()?;
    let reader = build(scratch.path())?;
    // The newest too: what its sources name and its programs don't take never was a flag of theirs.
    for minor in SINCE..=newest {
        println!("    1.{minor}");
        let found = sources(&reader, scratch.path(), minor)?;
        add_read(&mut names, minor, &found);
    }
    add_asked(&mut names, newest, facts);
    let mut flags: BTreeMap<&str, _> = COMPONENTS.into_iter().map(|name| (name, names.gone(name, newest))).collect();
    for of in flags.values_mut() {
        of.extend(LOGGING.1.map(|name| (name, LOGGING.0)));
    }
    flags.entry("kube-apiserver").or_default().extend(INSECURE.1.map(|name| (name, INSECURE.0)));
    Ok(json!({
        "since": SINCE,
        "gates": names.gone("gates", newest),
        "flags": flags,
        "admissionPlugins": names.gone("admissionPlugins", newest),
    }))
}

fn add_read(names: &mut Names, minor: u32, found: &Value) {
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect() };
    for kind in ["gates", "admissionPlugins"] {
        names.add(kind, minor, keys(&found[kind]).iter());
    }
    for component in COMPONENTS {
        names.add(component, minor, keys(&found["flags"][component]).iter());
    }
}

fn add_asked(names: &mut Names, minor: u32, facts: &Value) {
    let components = facts["components"].as_object();
    for (component, of) in components.into_iter().flatten().filter(|(name, _)| *name != "etcd") {
        let keys = |kind: &str| -> BTreeSet<String> {
            of[kind].as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
        };
        names.add("gates", minor, keys("gates").iter());
        names.add(component, minor, keys("flags").iter());
        for plugins in of["admissionPlugins"].as_object().into_iter().flat_map(|plugins| plugins.values()) {
            let plugins: Vec<String> =
                plugins.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            names.add("admissionPlugins", minor, plugins.iter());
        }
    }
}

/// Builds the reader of sources.
fn build(scratch: &Path) -> Result<PathBuf> {
    let directory = scratch.join("reader");
    std::fs::create_dir_all(&directory)?;
    std::fs::copy(root().join("crates/xtask/facts/past.go"), directory.join("main.go"))?;
    std::fs::write(directory.join("go.mod"), "module past\n\ngo 1.21\n")?;
    output(Command::new("go").args(["build", "-o=past", "."]).current_dir(&directory).env("GOFLAGS", ""))?;
    Ok(directory.join("past"))
}

/// Fetches a minor's sources into a cache of their own, reads them and lets go of them: they are large.
fn sources(reader: &Path, scratch: &Path, minor: u32) -> Result<Value> {
    let cache = scratch.join("modules");
    let fetch = |module: String| -> Result<String> {
        let mut command = Command::new("go");
        command.args(["mod", "download", "-json", &module]).current_dir(scratch);
        let said = output(command.env("GOMODCACHE", &cache).env("GOFLAGS", "-modcacherw"))?;
        let said: Value = serde_json::from_str(&said)?;
        Ok(said["Dir"].as_str().with_context(|| format!("{module} was not fetched"))?.to_owned())
    };
    let kubernetes = fetch(format!("k8s.io/kubernetes@v1.{minor}.0"))?;
    let apiserver = fetch(format!("k8s.io/apiserver@v0.{minor}.0"))?;
    let said = output(Command::new(reader).args([&kubernetes, &apiserver]))?;
    std::fs::remove_dir_all(&cache)?;
    Ok(serde_json::from_str(&said)?)
}
