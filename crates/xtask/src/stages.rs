//! The stages of `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::times::Times;
use crate::workspace::{cargo, cargo_on_all, finish, on_all, output, program, root};
use crate::{moto, real, slowest, tidy};

/// One stage.
pub(crate) struct Stage {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it checks.
    pub(crate) about: &'static str,
    run: fn(Stories) -> Result<()>,
}

/// Which end to end stories are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stories {
    /// What is always told, and the third of the rest that this number names.
    Turn(u64),
    /// All.
    All,
}

impl Stories {
    /// The number as text; nothing where all are told.
    fn turn(self) -> String {
        match self {
            Self::Turn(turn) => turn.to_string(),
            Self::All => String::new(),
        }
    }
}

/// All stages in their order: what fails fast comes first.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "fmt", about: "formatting", run: |_| cargo(&["fmt", "--all", "--check"]) },
    Stage { name: "tidy", about: "what the repository must look like", run: |_| tidy::run() },
    Stage { name: "moto", about: "the S3 API server that tests talk to", run: |_| moto::server().map(drop) },
    Stage {
        name: "build",
        about: "the program under test and all tests, compiled once; lints, as errors",
        run: |_| cargo_on_all("build", &["--all-targets"], &[]),
    },
    Stage {
        name: "unit",
        about: "unit tests, goldens and the architecture test of every crate",
        run: |_| slowest::run(&mut on_all("test", &["--", "--quiet"], &[("KUBEWRIGHT_MOTO", &moto()?)])),
    },
    Stage { name: "host", about: "what end to end tests need of this host, and all assets", run: |_| host() },
    Stage {
        name: "binaries",
        about: "command lines and files of every minor, and a sample of changed ones, given to the real programs; objects to a real API server, certificates to kubeadm",
        run: binaries,
    },
    Stage {
        name: "e2e",
        about: "real clusters on real machines, judged by kubectl",
        run: |stories| e2e(&program(), stories, &[], &[]),
    },
];

/// Runs the stages called `only`, or all of them, and prints what each took.
pub(crate) fn run(only: &[String], stories: Stories) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !STAGES.iter().any(|stage| stage.name == **name)) {
        bail!("there is no stage {unknown}; see: cargo xtask test --list");
    }
    let mut times = Times::default();
    let mut wanted = STAGES.iter().filter(|stage| only.is_empty() || only.iter().any(|name| name == stage.name));
    let done = wanted.try_for_each(|stage| {
        let done = times.of(stage.name, stage.about, || (stage.run)(stories));
        done.with_context(|| format!("stage {}", stage.name))
    });
    times.print();
    done
}

/// Kubernetes' minors that real machines and programs are tested with.
const MINORS: [&str; 2] = ["1.36", "1.35"];
/// The minor that only the long stories are told with.
pub(crate) const OLDEST: &str = "1.34";

/// `preflight --setup-host` installs what the host lacks; pulling shows how long each asset takes.
fn host() -> Result<()> {
    finish(Command::new(program()).args(["preflight", "--setup-host"]).current_dir(root()))?;
    MINORS.into_iter().try_for_each(pull)
}

/// Which changed specifications are among the sample follows from the same number as which stories have their turn.
fn binaries(stories: Stories) -> Result<()> {
    let (minors, turn) = (MINORS.join(","), stories.turn());
    let variables = [("KUBEWRIGHT_TEST_MINORS", minors.as_str()), ("KUBEWRIGHT_TURN", turn.as_str())];
    cargo_on_all("test", &["--test", "binaries", "--", "--nocapture"], &variables)?;
    real::run(MINORS[0])
}

/// Gets all assets of a minor. Built here: tests must not depend on whether upstream answers.
pub(crate) fn pull(minor: &str) -> Result<()> {
    let arguments = ["assets", "pull", "--sources", "go", "--kubernetes-version", minor];
    finish(Command::new(program()).args(arguments).current_dir(root()))
}

/// The stories called `names`, or those that `stories` asks for, told with a program.
pub(crate) fn e2e(program: &Path, stories: Stories, names: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let (program, moto) = (text(program.to_owned())?, moto()?);
    let mut variables = [variables, &[("KUBEWRIGHT_BIN", &program), ("KUBEWRIGHT_MOTO", &moto)]].concat();
    let turn = stories.turn();
    if names.is_empty() && !turn.is_empty() {
        println!("    what is always told and a third of the rest; the same again: cargo xtask test --seed {turn}");
        variables.push(("KUBEWRIGHT_TURN", &turn));
    }
    cargo_on_all("test", &[&["--test", "e2e", "--"], names].concat(), &variables)
}

/// Prints all stories and how often they are told; they are compiled when they are not yet.
pub(crate) fn list_stories() -> Result<()> {
    cargo_on_all("test", &["--test", "e2e", "--", "--list"], &[])
}

/// The number that a commit gives: with each one, others of the stories have their turn.
pub(crate) fn seed_of_commit() -> Result<u64> {
    let commit = output(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root()))?;
    seed_of(commit.trim()).with_context(|| format!("{} is no commit", commit.trim()))
}

fn seed_of(commit: &str) -> Option<u64> {
    u64::from_str_radix(commit.get(..8)?, 16).ok()
}

fn moto() -> Result<String> {
    text(moto::server()?)
}

fn text(path: PathBuf) -> Result<String> {
    path.into_os_string().into_string().ok().context("the target directory has a name that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_gives_a_number_and_others_another() {
        assert_eq!(seed_of("0000000a9d3c"), Some(10));
        assert_eq!(seed_of("ffffffff9d3c"), Some(0xffff_ffff));
        assert_eq!(seed_of("short"), None);
        assert_eq!(seed_of("no commit at all"), None);
    }

    #[test]
    fn a_stage_that_is_not_there_is_named() {
        let error = run(&["unit".to_owned(), "clippi".to_owned()], Stories::All).unwrap_err();
        assert!(error.to_string().contains("no stage clippi"), "{error}");
    }
}
