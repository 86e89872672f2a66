//! `cargo xtask dist`: the program as it is given to people, with all that belongs to it.

mod contents;
mod licences;
mod programs;
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{cargo, cargo_with, finish, output, root, target};

/// The version of everything here.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As people get it.
    Release,
    /// Quickly, to try how it is packed.
    Debug,
}

impl Profile {
    fn directory(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

/// Makes the archive, the Debian package and their sums below the target directory, and says where they are.
pub(crate) fn run(profile: Profile) -> Result<()> {
    let place = target().join("dist");
    let name = format!("kubewright-{VERSION}-linux-amd64");
    let tree = place.join(&name);
    if place.exists() {
        std::fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
    }
    std::fs::create_dir_all(&tree)?;
    let program = program(profile)?;
    println!("==> {name}.tar.gz");
    contents::fill(&tree, &program)?;
    licences::write(&tree.join("licences"))?;
    let mut made = vec![pack(&place, &name)?];
    println!("==> Debian package and list of parts");
    made.extend(tools::debian_package(&place, &tree)?);
    made.extend(tools::parts(&place)?);
    sums(&place, &made)?;
    for file in made.iter().map(String::as_str).chain(["SHA256SUMS"]) {
        println!("{}", place.join(file).display());
    }
    Ok(())
}

/// Builds the program with everything in it; gives where it is.
pub(crate) fn program(profile: Profile) -> Result<PathBuf> {
    println!("==> programs for machines and pods");
    let programs = programs::build(profile)?;
    println!("==> kubewright");
    kubewright(profile, &programs)
}

/// A directory of its own: the programs in it make it another one than that which `cargo build` gives.
fn directory() -> PathBuf {
    target().join("dist-build")
}

/// Builds an optimised program that the tests come with, beside the released one: most of what both are made of is compiled once.
pub(crate) fn example(name: &str) -> Result<PathBuf> {
    let directory = directory();
    let own = directory.to_str().context("the target directory has a name that is no text")?;
    cargo(&["build", "--quiet", "--release", "--package", "tests", "--example", name, "--target-dir", own])?;
    Ok(directory.join(Profile::Release.directory()).join("examples").join(name))
}

fn kubewright(profile: Profile, programs: &Path) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--quiet", "--locked", "--package", "cli", "--features", "s3"];
    if profile == Profile::Release {
        arguments.push("--release");
    }
    let directory = directory();
    let own = directory.to_str().context("the target directory has a name that is no text")?;
    arguments.extend(["--target-dir", own]);
    let programs = programs.to_str().context("the target directory has a name that is no text")?;
    cargo_with(&arguments, &[("KUBEWRIGHT_PROGRAMS", programs)])?;
    Ok(directory.join(profile.directory()).join("kubewright"))
}

/// An archive that is the same whenever it is made of the same commit.
fn pack(place: &Path, name: &str) -> Result<String> {
    let time = output(Command::new("git").args(["log", "-1", "--format=@%ct"]).current_dir(root()))?;
    let file = format!("{name}.tar.gz");
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime", time.trim()]);
    tar.args(["--use-compress-program=gzip -n9", "-cf", &file, name]);
    finish(tar.current_dir(place))?;
    Ok(file)
}

fn sums(place: &Path, files: &[String]) -> Result<()> {
    let text = output(Command::new("sha256sum").args(files).current_dir(place))?;
    std::fs::write(place.join("SHA256SUMS"), text).context("cannot write SHA256SUMS")
}
