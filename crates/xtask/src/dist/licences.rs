//! Licences of everything that is compiled into the program: a list, and the texts where their packages bring them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{cargo_home, output, root};

/// What licences' files begin with, in lower case.
const NAMES: [&str; 4] = ["license", "licence", "copying", "notice"];

/// A package from outside: name, version, licence.
type Package = (String, String, String);

/// Writes them into a directory that is made.
pub(super) fn write(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let packages = packages()?;
    let mut list = String::from("Compiled into kubewright: package, version, licence\n\n");
    for (name, version, licence) in &packages {
        list.push_str(&[name, " ", version, "  ", licence, "\n"].concat());
    }
    std::fs::write(directory.join("LIST"), list)?;
    for source in sources()? {
        for (name, version, _) in &packages {
            let package = format!("{name}-{version}");
            copy_texts(&source.join(&package), &directory.join(&package))?;
        }
    }
    Ok(())
}

/// Packages that the program is made of, without this workspace's own.
fn packages() -> Result<BTreeSet<Package>> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--package", "cli", "--features", "s3", "--edges", "normal", "--prefix", "none"]);
    let text = output(tree.args(["--format", "{p}|{l}"]).current_dir(root()))?;
    Ok(text.lines().filter_map(package).collect())
}

/// A line such as `serde v1.0.229|MIT OR Apache-2.0`; members of the workspace name their directory.
fn package(line: &str) -> Option<Package> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    if words.any(|word| word.starts_with("(/")) {
        return None;
    }
    let licence = licence.trim_end_matches(" (*)");
    Some((name.to_owned(), version.to_owned(), licence.to_owned()))
}

/// Where cargo unpacked packages.
fn sources() -> Result<Vec<PathBuf>> {
    let registries = cargo_home().context("neither CARGO_HOME nor HOME is set")?.join("registry/src");
    let entries = std::fs::read_dir(&registries).with_context(|| format!("cannot read {}", registries.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn copy_texts(package: &Path, place: &Path) -> Result<()> {
    for entry in std::fs::read_dir(package).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if NAMES.iter().any(|beginning| name.starts_with(beginning)) && entry.path().is_file() {
            std::fs::create_dir_all(place)?;
            std::fs::copy(entry.path(), place.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_from_outside_are_told_from_our_own() {
        let serde = Some(("serde".to_owned(), "1.0.229".to_owned(), "MIT OR Apache-2.0".to_owned()));
        assert_eq!(package("serde v1.0.229|MIT OR Apache-2.0"), serde);
        assert_eq!(package("serde v1.0.229|MIT OR Apache-2.0 (*)"), serde);
        assert_eq!(
            package("serde_derive v1.0.229 (proc-macro)|MIT").map(|(name, ..)| name),
            Some("serde_derive".into())
        );
        assert_eq!(package("engine v0.1.0 (/home/me/kubewright/crates/engine)|Apache-2.0"), None);
        assert_eq!(package(""), None);
    }

    #[test]
    fn texts_are_copied_by_their_names() {
        let place = tempfile::TempDir::new().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        std::fs::create_dir_all(from.join("LICENSES")).unwrap();
        for name in ["LICENSE-MIT", "Copying", "README.md"] {
            std::fs::write(from.join(name), name).unwrap();
        }
        copy_texts(&from, &to).unwrap();
        let names: BTreeSet<String> =
            std::fs::read_dir(&to).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names, BTreeSet::from(["Copying".to_owned(), "LICENSE-MIT".to_owned()]));
        copy_texts(&place.path().join("nothing"), &to).unwrap();
    }
}
