//! What the catalogue says about flags, gates and admission plugins, against what the programs say about themselves.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{ComponentFacts, Stage};

use crate::minors_there;
use crate::programs::Programs;

/// Components whose facts are held against the programs.
pub(crate) const COMPONENTS: [&str; 6] =
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"];

/// Flags that etcd takes and does not list.
const UNLISTED: [&str; 2] = ["config-file", "version"];

#[test]
fn the_facts_are_what_the_programs_say() {
    for programs in minors_there() {
        let release = programs.release();
        let facts = catalog::facts(release.minor).expect("every minor has facts");
        for program in COMPONENTS {
            let component = facts.component(program).unwrap_or_else(|| panic!("no facts of {program}"));
            let help = help(&programs, program);
            let of = format!("{program} of {}; run `cargo xtask gen facts`", release.kubernetes);
            assert_eq!(flags_that_differ(component, &help), BTreeSet::new(), "flags of {of}");
            assert_eq!(listed_gates(component), gates(&help), "feature gates of {of}");
            if program == "kube-apiserver" {
                let known: BTreeSet<&str> = component.admission_plugins.names().collect();
                assert_eq!(known, admission_plugins(&help), "admission plugins of {of}");
            }
        }
    }
}

#[test]
fn the_facts_have_every_setting_that_containerd_prints() {
    for programs in minors_there() {
        let release = programs.release();
        let component = catalog::facts(release.minor).and_then(|facts| facts.component("containerd"));
        let types = &component.expect("facts of containerd").types;
        let directory = tempfile::tempdir().unwrap();
        let output = programs.run("containerd", &["config", "default"].map(str::to_owned), directory.path());
        let printed: toml::Table = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        let plugins = printed["plugins"].as_table().unwrap();
        assert!(plugins.len() > 20, "{plugins:?}");
        let tables = plugins.iter().map(|(name, settings)| (name.as_str(), settings.as_table().unwrap()));
        for (name, settings) in tables.chain([("", &printed)]) {
            let known: BTreeSet<&String> =
                types.get(name).unwrap_or_else(|| panic!("no plugin {name}")).keys().collect();
            let unknown: Vec<&String> = settings.keys().filter(|key| !known.contains(key)).collect();
            assert!(unknown.is_empty(), "`{name}` of containerd has {unknown:?}; run `cargo xtask gen facts`");
        }
    }
}

fn help(programs: &Programs, program: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = programs.run(program, &["--help".to_owned()], directory.path());
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

/// Flags that are only on one side. Programs don't list what is on its way out.
fn flags_that_differ<'a>(component: &'a ComponentFacts, help: &'a str) -> BTreeSet<&'a str> {
    let listed = flags(help);
    let kept: BTreeSet<&str> = component.flags.keys().map(String::as_str).collect();
    let may_be_unlisted = |name: &&str| UNLISTED.contains(name) || !component.flags[*name].deprecated.is_empty();
    let missing = kept.difference(&listed).copied().filter(|name| !may_be_unlisted(name));
    missing.chain(listed.difference(&kept).copied()).collect()
}

/// `--name` where a line starts with it, after a short form or not.
fn flags(help: &str) -> BTreeSet<&str> {
    help.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let long = if line.starts_with('-') && !line.starts_with("--") { line.get(4..)? } else { line };
            let rest = long.strip_prefix("--")?;
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
            Some(&rest[..end])
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Gates as they are listed: those that are neither done nor on their way out.
fn listed_gates(component: &ComponentFacts) -> BTreeMap<&str, (&str, bool)> {
    let listed = component.gates.iter().filter_map(|(name, gate)| {
        let stage = match gate.stage {
            Stage::Alpha => "ALPHA",
            Stage::Beta => "BETA",
            Stage::Ga | Stage::Deprecated => return None,
        };
        Some((name.as_str(), (stage, gate.default)))
    });
    listed.collect()
}

/// `Name=true|false (STAGE - default=true)`.
fn gates(help: &str) -> BTreeMap<&str, (&str, bool)> {
    let mut gates = BTreeMap::new();
    for (at, mark) in help.match_indices("=true|false (") {
        let before = &help[..at];
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        let after = &help[at + mark.len()..];
        let (stage, rest) = after.split_once(" - default=").expect("a stage and a default");
        gates.insert(&before[start..], (stage, rest.starts_with("true")));
    }
    gates
}

/// The list in the help of `--enable-admission-plugins`.
fn admission_plugins(help: &str) -> BTreeSet<&str> {
    let (_, after) = help.split_once("--enable-admission-plugins").expect("the flag is listed");
    let (_, list) = after.split_once("list of admission plugins: ").expect("the flag says which there are");
    list.split('.').next().unwrap_or_default().split(", ").collect()
}
