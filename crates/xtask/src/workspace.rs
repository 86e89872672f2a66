//! The repository as a place: its root, its files, and programs started in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Where the repository is.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// Runs cargo in the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    cargo_with(arguments, &[])
}

/// The same with more variables.
pub(crate) fn cargo_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    finish(command.args(arguments).envs(variables.iter().copied()).current_dir(root()))
}

/// One of cargo's commands on the whole workspace, lints included, with more `arguments` and variables.
///
/// Always the whole workspace with the same features: what cargo is asked to build of it decides on the features of every
/// dependency, and with each other set all of them are compiled once more. For the same reason lints are found as
/// `cargo clippy` finds them, by its driver in place of the compiler for our own crates, but while these are built: with
/// `cargo clippy` itself everything is checked first and then compiled.
pub(crate) fn on_all(command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    // As an option and not as a variable: programs that tests start must not inherit it.
    let fixed = ["--config", "build.rustc-workspace-wrapper='clippy-driver'", command, "--workspace"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(fixed).args(["--features", "cli/s3"]).args(arguments).envs(variables.iter().copied());
    cargo.env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__").current_dir(root());
    cargo
}

/// Runs it to its end.
pub(crate) fn cargo_on_all(command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    finish(&mut on_all(command, &[&["--quiet"], arguments].concat(), variables))
}

/// Runs a program to its end; its failure is an error.
pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{command:?} ended with {status}") }
}

/// What a program printed; its failure is an error with what it complained about.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where cargo keeps what it has fetched.
#[expect(clippy::disallowed_methods, reason = "cargo reads these variables")]
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let given = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
}

/// The directory of cargo's output.
pub(crate) fn target() -> PathBuf {
    // xtask itself lies in `<target>/<profile>/xtask`, wherever the user has cargo put it.
    let own = std::env::current_exe().ok();
    own.and_then(|path| path.ancestors().nth(2).map(Path::to_owned)).unwrap_or_else(|| root().join("target"))
}

/// The program under test.
pub(crate) fn program() -> PathBuf {
    target().join("debug/kubewright")
}

/// Every file of the repository, by its path from the root.
pub(crate) fn files() -> Result<Vec<String>> {
    // Files that are about to be committed count, those that git ignores or that were deleted don't.
    let listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let text = output(Command::new("git").args(listed).current_dir(root()))?;
    let mut files: Vec<String> = text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    files.retain(|name| root().join(name).is_file());
    files.sort_unstable();
    files.dedup();
    Ok(files)
}
