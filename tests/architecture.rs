//! Holds the crates to their layers: every edge between members is in this table, and special crates have one user.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each member and what it may depend on; dev-dependencies are free.
const EDGES: &[(&str, &[&str])] = &[
    ("graph", &[]),
    ("resource", &[]),
    ("catalog", &["resource"]),
    ("machine", &[]),
    ("pause", &[]),
    ("sources", &[]),
    ("spec", &["resource", "catalog"]),
    ("render", &["catalog", "resource"]),
    ("pki", &["resource"]),
    ("plan", &["resource", "graph"]),
    ("model", &["spec", "catalog", "resource", "machine", "render", "pki"]),
    ("rules", &["catalog", "plan", "resource", "spec"]),
    ("engine", &["plan", "resource"]),
    ("assets", &["catalog", "engine", "resource", "sources"]),
    ("credentials", &["engine", "pki", "plan", "resource"]),
    ("hosts", &["engine", "machine", "pki", "plan", "resource"]),
    ("objects", &["engine", "plan", "resource"]),
    ("ssh", &["engine", "resource"]),
    ("report", &["engine", "graph", "plan", "resource", "rules"]),
    ("agent", &["machine"]),
    ("provider", &["catalog", "engine", "model", "resource", "spec"]),
    ("provider-local", &["catalog", "engine", "model", "plan", "provider", "resource", "spec"]),
    ("state-fs", &["engine"]),
    ("state-s3", &["engine"]),
    ("reconcile", &["engine", "model", "plan", "resource", "rules", "spec"]),
    ("testkit", &["engine", "model", "plan", "provider", "reconcile", "resource", "spec"]),
    (
        "cli",
        &[
            "spec",
            "model",
            "graph",
            "plan",
            "rules",
            "engine",
            "assets",
            "catalog",
            "credentials",
            "hosts",
            "objects",
            "ssh",
            "report",
            "resource",
            "machine",
            "pki",
            "provider",
            "provider-local",
            "reconcile",
            "state-fs",
            "state-s3",
            "sources",
        ],
    ),
    ("xtask", &[]),
    ("tests", &[]),
];

/// Crates from outside that only some members may use.
const USERS: &[(&str, &[&str])] = &[
    ("petgraph", &["graph"]),
    ("tera", &["render"]),
    ("rcgen", &["pki"]),
    ("russh", &["ssh"]),
    ("kube", &["objects"]),
    ("age", &["credentials"]),
    ("cel", &["rules"]),
    ("layout-rs", &["report"]),
    ("miette", &["report"]),
    ("indicatif", &["report"]),
    ("clap", &["cli", "xtask"]),
    ("aws-config", &["state-s3"]),
    ("aws-sdk-s3", &["state-s3"]),
    ("aws-types", &["state-s3"]),
];

/// Members that must stay pure: no async runtime, no files, no network.
const PURE: &[&str] = &["graph", "resource", "catalog", "machine", "spec", "render", "pki", "model", "plan", "rules"];
const IMPURE: &[&str] = &["tokio", "reqwest", "fs-err", "russh", "kube"];

/// Normal and build dependencies by member.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let used = package["dependencies"].as_array().into_iter().flatten();
            let normal =
                used.filter(|dependency| dependency["kind"] != "dev").map(|dependency| text(&dependency["name"]));
            (text(&package["name"]), normal.collect())
        })
        .collect()
}

#[test]
fn every_edge_between_members_points_down_and_is_in_the_table() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let found = dependencies();
    let mut wrong = Vec::new();
    for (member, used) in &found {
        let Some(edges) = allowed.get(member.as_str()) else {
            wrong.push(format!("{member} is not in the table"));
            continue;
        };
        for dependency in used.iter().filter(|name| found.contains_key(*name)) {
            if !edges.contains(&dependency.as_str()) {
                wrong.push(format!("{member} → {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that are not in the table: {wrong:#?}");
}

#[test]
fn special_crates_have_one_user() {
    let found = dependencies();
    for (special, users) in USERS {
        let using: Vec<&String> =
            found.iter().filter(|(_, used)| used.contains(*special)).map(|(member, _)| member).collect();
        assert!(using.iter().all(|member| users.contains(&member.as_str())), "{special} is used by {using:?}");
    }
}

/// Where a provider may be named: in its own crate, where documents name it, and in the command line's list.
const NAMING: &[&str] = &["crates/cli/src/providers.rs", "crates/spec/src/cluster/provider.rs"];
/// Tests that name fields of documents, those of a provider's settings among them.
const NAMING_FIELDS: &[&str] = &["crates/spec/src/schema.rs", "crates/spec/src/validate/tests.rs"];

#[test]
fn providers_are_named_in_their_own_crate_and_two_lists_and_nowhere_else() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let providers = std::fs::read_dir(root.join("providers")).expect("providers");
    let names: Vec<String> =
        providers.map(|entry| entry.expect("a provider").file_name().to_string_lossy().into_owned()).collect();
    assert!(names.contains(&"local".to_owned()), "{names:?}");
    let named = |text: &str, name: &str| {
        let variant = name[..1].to_uppercase() + &name[1..];
        [format!("provider_{name}"), format!("Provider::{variant}")].iter().any(|word| text.contains(word))
    };
    let sets = |text: &str, name: &str| text.contains(&format!("spec.{name}"));
    let mut wrong = Vec::new();
    for path in sources(&root.join("crates")) {
        let short = path.strip_prefix(root).expect("below the workspace").display().to_string();
        let text = std::fs::read_to_string(&path).expect("a source");
        let settings = |name: &String| format!("crates/spec/src/cluster/{name}.rs");
        let of_one = |name: &String| {
            named(&text, name)
                || sets(&text, name) && !NAMING_FIELDS.contains(&short.as_str()) && short != settings(name)
        };
        if !NAMING.contains(&short.as_str()) && names.iter().any(of_one) {
            wrong.push(short);
        }
    }
    assert!(wrong.is_empty(), "these ask for a provider's name instead of a property: {wrong:#?}");
}

#[test]
fn pure_crates_do_no_io() {
    let found = dependencies();
    for member in PURE {
        let bad: Vec<&&str> = IMPURE.iter().filter(|name| found[*member].contains(**name)).collect();
        assert!(bad.is_empty(), "{member} depends on {bad:?}");
    }
}

#[test]
fn every_source_file_says_its_job_first() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let all =
        ["crates", "providers", "state", "tests"].into_iter().flat_map(|directory| sources(&root.join(directory)));
    let is_silent = |path: &std::path::PathBuf| !std::fs::read_to_string(path).expect("a source").starts_with("//!");
    let silent: Vec<_> = all.filter(is_silent).collect();
    assert!(silent.is_empty(), "files without a `//!` line first: {silent:#?}");
}

/// All source files below a directory.
fn sources(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let own = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    own.chain(directories.iter().flat_map(|directory| self::sources(directory))).collect()
}
