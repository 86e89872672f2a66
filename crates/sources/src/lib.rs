//! Digests the sources that one of this workspace's programs is built from: its own crates and its pinned dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Why sources could not be read.
#[derive(Debug, Error)]
pub enum SourcesError {
    /// A file or directory could not be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no TOML of cargo's.
    #[error("{} cannot be understood: {why}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SourcesError + '_ {
    |source| SourcesError::Io { path: path.to_owned(), source }
}

/// What is read of Cargo.lock.
#[derive(Debug, Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

#[derive(Debug, Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    /// Missing for crates of the workspace.
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// SHA-256 (hex) of everything that the program of `package` is built from: the files of the workspace's crates that it
/// needs, the pinned versions of the others, and the settings of the build.
///
/// Nothing else counts: a change in another crate leaves the digest as it is.
pub fn digest(workspace: &Path, package: &str) -> Result<String, SourcesError> {
    let lock: CargoLock = read_toml(&workspace.join("Cargo.lock"))?;
    let manifest: toml::Table = read_toml(&workspace.join("Cargo.toml"))?;
    let needed = closure(&lock, package);
    let crates = crates_of(workspace, &manifest)?;
    let mut digest = Sha256::new();
    let mut line = |text: String| digest.update(text + "\n");
    for entry in &needed {
        match (&entry.source, crates.get(&entry.name)) {
            (None, Some(directory)) => {
                for (path, sha256) in files_of(directory)? {
                    line(format!("{} {path} {sha256}", entry.name));
                }
            }
            _ => line(format!("{} {} {}", entry.name, entry.version, entry.checksum.as_deref().unwrap_or_default())),
        }
    }
    for setting in settings(&manifest, &needed) {
        line(setting);
    }
    Ok(hex::encode(digest.finalize()))
}

/// Files and directories that the digest of `package` is taken of: where none of them changed, it is the same.
pub fn inputs(workspace: &Path, package: &str) -> Result<Vec<PathBuf>, SourcesError> {
    let files = ["Cargo.lock", "Cargo.toml"].map(|name| workspace.join(name));
    let [lock, manifest] = &files;
    let lock: CargoLock = read_toml(lock)?;
    let crates = crates_of(workspace, &read_toml(manifest)?)?;
    let own = closure(&lock, package).into_iter().filter(|entry| entry.source.is_none());
    let parts = own.filter_map(|entry| crates.get(&entry.name)).flat_map(|directory| parts_of(directory));
    Ok(files.iter().cloned().chain(parts).filter(|path| path.exists()).collect())
}

fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, SourcesError> {
    let text = fs::read_to_string(path).map_err(failed(path))?;
    toml::from_str(&text)
        .map_err(|error| SourcesError::Unreadable { path: path.to_owned(), why: error.message().to_owned() })
}

/// The package and everything that it depends on, by name and version.
fn closure<'a>(lock: &'a CargoLock, package: &str) -> Vec<&'a LockedPackage> {
    let mut seen = BTreeMap::new();
    let mut open = vec![package.to_owned()];
    while let Some(wanted) = open.pop() {
        // A dependency is `name`, or `name version` where there are several versions.
        let (name, version) = wanted.split_once(' ').map_or((wanted.as_str(), None), |(n, v)| (n, v.split(' ').next()));
        let found =
            lock.package.iter().filter(|p| p.name == name && version.is_none_or(|version| p.version == version));
        for entry in found {
            if seen.insert((&entry.name, &entry.version), entry).is_none() {
                open.extend(entry.dependencies.iter().cloned());
            }
        }
    }
    seen.into_values().collect()
}

/// Directories of the workspace's crates by package name.
fn crates_of(workspace: &Path, manifest: &toml::Table) -> Result<BTreeMap<String, PathBuf>, SourcesError> {
    let members = manifest.get("workspace").and_then(|w| w.get("members")).and_then(toml::Value::as_array);
    let mut crates = BTreeMap::new();
    for member in members.into_iter().flatten().filter_map(toml::Value::as_str) {
        for directory in expand(workspace, member)? {
            let path = directory.join("Cargo.toml");
            if path.exists() {
                let manifest: toml::Table = read_toml(&path)?;
                let name = manifest.get("package").and_then(|p| p.get("name")).and_then(toml::Value::as_str);
                crates.extend(name.map(|name| (name.to_owned(), directory)));
            }
        }
    }
    Ok(crates)
}

/// `crates/*` as the directories below `crates`.
fn expand(workspace: &Path, member: &str) -> Result<Vec<PathBuf>, SourcesError> {
    let Some(parent) = member.strip_suffix("/*") else { return Ok(vec![workspace.join(member)]) };
    let parent = workspace.join(parent);
    let entries = fs::read_dir(&parent).map_err(failed(&parent))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// The crate's manifest and sources with their digests, by path.
fn files_of(directory: &Path) -> Result<BTreeMap<String, String>, SourcesError> {
    let mut files = BTreeMap::new();
    let mut open = parts_of(directory).to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path).map_err(failed(&path))? {
                open.push(entry.map_err(failed(&path))?.path());
            }
        } else if path.exists() {
            let relative = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
            let content = fs::read(&path).map_err(failed(&path))?;
            files.insert(relative, hex::encode(Sha256::digest(content)));
        }
    }
    Ok(files)
}

/// What of a crate counts.
fn parts_of(directory: &Path) -> [PathBuf; 3] {
    ["Cargo.toml", "build.rs", "src"].map(|part| directory.join(part))
}

/// The workspace's settings that change these packages: profiles, compiler, features of their dependencies.
fn settings(manifest: &toml::Table, needed: &[&LockedPackage]) -> Vec<String> {
    let names: BTreeSet<&str> = needed.iter().map(|package| package.name.as_str()).collect();
    let workspace = |key: &str| manifest.get("workspace").and_then(|workspace| workspace.get(key));
    let dependencies = workspace("dependencies").and_then(toml::Value::as_table);
    let used = dependencies.into_iter().flatten().filter(|(name, value)| {
        let package = value.get("package").and_then(toml::Value::as_str);
        names.contains(package.unwrap_or(name))
    });
    let mut lines: Vec<String> = used.map(|(name, value)| format!("{name} = {value}")).collect();
    lines.extend(manifest.get("profile").and_then(|p| p.get("agent")).map(ToString::to_string));
    lines.extend(manifest.get("profile").and_then(|p| p.get("release")).map(ToString::to_string));
    lines.extend(workspace("package").and_then(|p| p.get("rust-version")).map(ToString::to_string));
    lines
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "agent"
version = "0.1.0"
dependencies = ["machine", "serde 1.0.1"]
[[package]]
name = "machine"
version = "0.1.0"
[[package]]
name = "other"
version = "0.1.0"
dependencies = ["serde 2.0.0"]
[[package]]
name = "serde"
version = "1.0.1"
source = "registry"
checksum = "aa"
[[package]]
name = "serde"
version = "2.0.0"
source = "registry"
checksum = "bb"
"#;

    fn workspace() -> TempDir {
        let directory = TempDir::new().unwrap();
        let root = directory.path();
        fs::write(root.join("Cargo.lock"), LOCK).unwrap();
        fs::write(
            root.join("Cargo.toml"),
            "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\nserde = \"1\"\n[profile.agent]\nlto = true\n",
        )
        .unwrap();
        for name in ["agent", "machine", "other"] {
            let source = root.join("crates").join(name).join("src");
            fs::create_dir_all(&source).unwrap();
            fs::write(source.join("lib.rs"), name).unwrap();
            let manifest = format!("[package]\nname = \"{name}\"\n");
            fs::write(root.join("crates").join(name).join("Cargo.toml"), manifest).unwrap();
        }
        directory
    }

    fn digest_after(change: impl Fn(&Path)) -> (String, String) {
        let directory = workspace();
        let before = digest(directory.path(), "agent").unwrap();
        change(directory.path());
        (before, digest(directory.path(), "agent").unwrap())
    }

    #[test]
    fn a_change_in_what_the_program_is_built_from_changes_the_digest() {
        let changes: [fn(&Path); 4] = [
            |root| fs::write(root.join("crates/machine/src/lib.rs"), "changed").unwrap(),
            |root| fs::write(root.join("crates/agent/src/new.rs"), "").unwrap(),
            |root| fs::write(root.join("Cargo.lock"), LOCK.replace("\"aa\"", "\"cc\"")).unwrap(),
            |root| {
                let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
                fs::write(root.join("Cargo.toml"), text.replace("lto = true", "lto = false")).unwrap();
            },
        ];
        for change in changes {
            let (before, after) = digest_after(change);
            assert_ne!(before, after);
        }
    }

    #[test]
    fn inputs_are_what_the_digest_is_taken_of() {
        let directory = workspace();
        let found = inputs(directory.path(), "agent").unwrap();
        let found: BTreeSet<&Path> = found.iter().map(|path| path.strip_prefix(directory.path()).unwrap()).collect();
        let crates = ["agent", "machine"].map(|name| Path::new("crates").join(name));
        let parts: Vec<PathBuf> = crates.iter().flat_map(|path| [path.join("Cargo.toml"), path.join("src")]).collect();
        let files = ["Cargo.lock", "Cargo.toml"].map(Path::new);
        assert_eq!(found, parts.iter().map(PathBuf::as_path).chain(files).collect());
    }

    #[test]
    fn a_change_elsewhere_does_not() {
        let changes: [fn(&Path); 2] = [
            |root| fs::write(root.join("crates/other/src/lib.rs"), "changed").unwrap(),
            |root| fs::write(root.join("Cargo.lock"), LOCK.replace("\"bb\"", "\"cc\"")).unwrap(),
        ];
        for change in changes {
            let (before, after) = digest_after(change);
            assert_eq!(before, after);
        }
    }
}
