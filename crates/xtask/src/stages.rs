//! The stages of `cargo xtask test`.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{cargo, cargo_with, finish, program, root};
use crate::{moto, tidy};

/// One stage.
pub(crate) struct Stage {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it checks.
    pub(crate) about: &'static str,
    run: fn() -> Result<()>,
}

/// All stages in their order: what fails fast comes first.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "fmt", about: "formatting", run: || cargo(&["fmt", "--all", "--check"]) },
    Stage { name: "tidy", about: "what the repository must look like", run: tidy::run },
    Stage {
        name: "clippy",
        about: "lints, as errors",
        run: || cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    },
    Stage { name: "moto", about: "the S3 API server that tests talk to", run: || moto::server().map(drop) },
    Stage { name: "unit", about: "unit tests, goldens and the architecture test of every crate", run: unit },
    Stage { name: "build", about: "the program under test", run: || cargo(&["build", "--quiet", "-p", "cli"]) },
    Stage { name: "host", about: "what end to end tests need of this host, and all assets", run: host },
    Stage {
        name: "binaries",
        about: "command lines and files of every minor, given to the real programs",
        run: binaries,
    },
    Stage { name: "e2e", about: "real clusters on real machines, judged by kubectl", run: e2e },
];

/// Runs the stages called `only`, or all of them, and prints what each took.
pub(crate) fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !STAGES.iter().any(|stage| stage.name == **name)) {
        bail!("there is no stage {unknown}; see: cargo xtask test --list");
    }
    let mut times = Vec::new();
    for stage in STAGES.iter().filter(|stage| only.is_empty() || only.iter().any(|name| name == stage.name)) {
        println!("==> {}: {}", stage.name, stage.about);
        let began = Instant::now();
        (stage.run)().with_context(|| format!("stage {}", stage.name))?;
        times.push((stage.name, began.elapsed()));
        println!("<== {} took {}", stage.name, minutes(began.elapsed()));
    }
    println!("\nAll stages passed:");
    for (name, time) in times {
        println!("  {name:<10} {}", minutes(time));
    }
    Ok(())
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// End to end tests run as a stage of their own.
fn unit() -> Result<()> {
    let server = moto::server()?;
    let server = server.to_str().context("the target directory has a name that is no text")?;
    cargo_with(&["test", "--workspace", "--exclude", "tests", "--quiet"], &[("KUBEWRIGHT_MOTO", server)])?;
    let tests = ["architecture", "engine", "formats", "kms"].into_iter().flat_map(|name| ["--test", name]);
    cargo(&["test", "--package", "tests", "--quiet"].into_iter().chain(tests).collect::<Vec<_>>())
}

/// Kubernetes' minors that real machines and programs are tested with.
const MINORS: [&str; 2] = ["1.36", "1.35"];
/// The minor that only the long stories are told with.
pub(crate) const OLDEST: &str = "1.34";

/// A dry create installs what the host lacks; pulling shows how long each asset takes.
fn host() -> Result<()> {
    finish(Command::new(program()).args(["preflight", "--setup-host"]).current_dir(root()))?;
    MINORS.into_iter().try_for_each(pull)
}

/// Gets all assets of a minor. Built here: tests must not depend on whether upstream answers.
pub(crate) fn pull(minor: &str) -> Result<()> {
    let arguments = ["assets", "pull", "--sources", "go", "--kubernetes-version", minor];
    finish(Command::new(program()).args(arguments).current_dir(root()))
}

fn binaries() -> Result<()> {
    let minors = MINORS.join(",");
    cargo_with(&["test", "--package", "tests", "--test", "binaries", "--quiet"], &[("KUBEWRIGHT_TEST_MINORS", &minors)])
}

fn e2e() -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--package", "tests", "--test", "e2e", "--quiet"]).env("KUBEWRIGHT_BIN", program());
    finish(command.env("KUBEWRIGHT_MOTO", moto::server()?).current_dir(root()))
}
