//! The release before this one, built from this repository's history and kept outside the checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::cache::{Missing, Place};

/// The commit that the release before was made from.
const COMMIT: &str = "bf02a48";

/// Its program, with the sources beside it that it reads. Building it takes as long as README's first command.
pub(crate) fn program() -> Result<PathBuf, Missing> {
    let held = Place::take(&format!("earlier-{COMMIT}"));
    let place = &held.path;
    let program = place.join("kubewright");
    if !program.exists() {
        println!("    the release before is compiled, in {}; this takes a quarter of an hour", place.display());
        let (sources, target) = (place.join("sources"), place.join("target"));
        unpack(&sources)?;
        build(&sources, &target)?;
        std::fs::rename(target.join("debug/kubewright"), &program).expect("the program is moved");
        std::fs::remove_dir_all(&target).expect("what it was compiled from goes");
    }
    Ok(program)
}

/// Its sources, out of the history: a shallow clone has none.
fn unpack(sources: &Path) -> Result<(), Missing> {
    std::fs::create_dir_all(sources).expect("a directory");
    let archive = sources.with_extension("tar");
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut git = Command::new("git");
    git.arg("-C").arg(checkout).args(["archive", "--format=tar", COMMIT, "-o"]).arg(&archive);
    ran(&mut git, "its commit is not in the history")?;
    ran(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(sources), "its sources cannot be unpacked")?;
    std::fs::remove_file(&archive).expect("the archive goes");
    Ok(())
}

fn build(sources: &Path, target: &Path) -> Result<(), Missing> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--bin", "kubewright"]).current_dir(sources).env("CARGO_TARGET_DIR", target);
    // What this repository's own tests are compiled with is not its business.
    for name in ["CARGO_ENCODED_RUSTFLAGS", "CLIPPY_ARGS", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(name);
    }
    ran(&mut cargo, "it cannot be compiled")
}

fn ran(command: &mut Command, otherwise: &str) -> Result<(), Missing> {
    let missing = |why: String| Missing(format!("{otherwise}: {why}"));
    let Output { status, stderr, .. } = command.output().map_err(|error| missing(error.to_string()))?;
    let said = String::from_utf8_lossy(&stderr).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    if status.success() { Ok(()) } else { Err(missing(lines[lines.len().saturating_sub(5)..].join("\n"))) }
}
