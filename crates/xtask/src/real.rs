//! Tests of single crates that need real programs: the stage `binaries` has them, `cargo test` alone does not.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{cargo_on_all, finish, target};

/// Runs them with the programs of `minor`: what is given to a real API server, and what kubeadm thinks of certificates.
pub(crate) fn run(minor: &str) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let place = directory.path().to_str().context("the temporary directory has a name that is no text")?;
    let cache = cache().context("there is no home directory")?;
    finish(Command::new(target().join("debug/examples/programs")).args([place, minor]).arg(cache))?;
    let etcd = format!("{place}/etcd");
    let variables = [("KUBEWRIGHT_TEST_KUBERNETES", place), ("KUBEWRIGHT_TEST_ETCD", &etcd)];
    // Each starts a control plane of its own: more than two of them at a time only wait for each other.
    let real = ["--lib", "real::", "--", "--ignored", "--test-threads=2"];
    cargo_on_all("test", &real, &variables)?;
    let path = searched(place)?;
    cargo_on_all("test", &["--test", "kubeadm", "--", "--nocapture"], &[("PATH", &path)])
}

/// Where programs are looked for, this directory first.
#[expect(clippy::disallowed_methods, reason = "programs are looked for where the caller has them looked for")]
fn searched(first: &str) -> Result<String> {
    let path = std::env::var("PATH").context("PATH is no text")?;
    Ok(format!("{first}:{path}"))
}

/// Where the program under test keeps its assets.
#[expect(clippy::disallowed_methods, reason = "the program under test reads these variables")]
fn cache() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    Some(given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("kubewright"))
}
