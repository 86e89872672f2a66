//! `cargo xtask gen facts`: asks the components of each minor what they take, and writes that into `catalog`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::workspace::{output, root};

mod past;
mod text;

/// Components, and the module that each one's code is built in; empty for that of the minor.
const COMPONENTS: [(&str, &str); 7] = [
    ("containerd", "containerd"),
    ("etcd", "etcd"),
    ("kube-apiserver", ""),
    ("kube-controller-manager", ""),
    ("kube-proxy", ""),
    ("kube-scheduler", ""),
    ("kubelet", ""),
];

/// The settings that the programs themselves are built with, so that what is compiled already is not compiled again.
const BUILD: [&str; 7] = [
    "build",
    "-mod=readonly",
    "-trimpath",
    "-buildvcs=false",
    "-gcflags=all=-dwarf=false",
    "-ldflags=-s -w",
    "-o=asked",
];
const ENVIRONMENT: [(&str, &str); 5] = [
    ("CGO_ENABLED", "0"),
    ("GOAMD64", "v1"),
    ("GOTOOLCHAIN", "local"),
    ("GOFLAGS", "-buildvcs=false"),
    ("GOWORK", "off"),
];

/// Writes the facts of these minors, or of all of them.
pub(crate) fn run(minors: &[String]) -> Result<()> {
    let known = known_minors()?;
    if let Some(unknown) = minors.iter().find(|minor| !known.contains(minor)) {
        bail!("there is no recipe of Kubernetes {unknown}; there are: {}", known.join(", "));
    }
    for minor in known.iter().filter(|minor| minors.is_empty() || minors.contains(minor)) {
        let path = file(minor);
        println!("==> {}", path.display());
        let facts = ask_all(minor)?;
        write(&path, &facts)?;
    }
    Ok(())
}

/// Reads the sources of the minors before the newest and writes what went since.
pub(crate) fn run_past() -> Result<()> {
    let path = directory().join("past.json");
    println!("==> {}", path.display());
    let minors = known_minors()?;
    let newest = minors.last().context("there is no recipe of Kubernetes")?;
    write(&path, &past::gone(&read(newest)?)?)
}

fn directory() -> PathBuf {
    root().join("crates/catalog/facts")
}

fn file(minor: &str) -> PathBuf {
    directory().join(format!("{minor}.json"))
}

/// The facts that are kept of a minor.
fn read(minor: &str) -> Result<Value> {
    let path = file(minor);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn write(path: &Path, value: &Value) -> Result<()> {
    std::fs::write(path, text::lines(value)).with_context(|| format!("cannot write {}", path.display()))
}

/// The minors that there are recipes of, the oldest first.
fn known_minors() -> Result<Vec<String>> {
    let mut minors = Vec::new();
    for entry in std::fs::read_dir(root().join("crates/catalog/recipes"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        minors.extend(name.strip_prefix("kubernetes-").map(str::to_owned));
    }
    minors.sort_unstable();
    Ok(minors)
}

/// The facts of one minor.
fn ask_all(minor: &str) -> Result<Value> {
    let module = format!("kubernetes-{minor}");
    let mut components = Map::new();
    for (component, own) in COMPONENTS {
        println!("    {component}");
        let module = if own.is_empty() { module.as_str() } else { own };
        components.insert(component.to_owned(), ask(module, component)?);
    }
    Ok(json!({ "kubernetes": version(&module)?, "components": components }))
}

/// The version of Kubernetes that a recipe builds.
fn version(module: &str) -> Result<String> {
    let path = root().join("crates/catalog/recipes").join(module).join("go.mod");
    let text = std::fs::read_to_string(&path)?;
    let version = text.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"));
    let version = version.with_context(|| format!("{} names no k8s.io/kubernetes", path.display()))?;
    Ok(version.split(' ').next().unwrap_or(version).to_owned())
}

/// Builds the small program that asks a component's own code, and runs it.
fn ask(module: &str, component: &str) -> Result<Value> {
    let scratch = tempfile::tempdir()?;
    let recipe = root().join("crates/catalog/recipes").join(module);
    let sources = root().join("crates/xtask/facts");
    let own = format!("{component}.go");
    let is_kubernetes = module.starts_with("kubernetes-");
    let shared = if is_kubernetes { &["facts.go", "kubernetes.go"][..] } else { &["facts.go"] };
    for name in ["go.mod", "go.sum"] {
        std::fs::copy(recipe.join(name), scratch.path().join(name))?;
    }
    for name in shared.iter().copied().chain([own.as_str()]) {
        std::fs::copy(sources.join(name), scratch.path().join(name))?;
    }
    output(Command::new("go").args(BUILD).arg(".").envs(ENVIRONMENT).current_dir(&scratch))?;
    let said = output(Command::new(scratch.path().join("asked")).current_dir(&scratch).env_clear())?;
    serde_json::from_str(&said).with_context(|| format!("{component} of {module} said no JSON"))
}
