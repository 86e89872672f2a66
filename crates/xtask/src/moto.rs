//! The S3 API server that tests of the store in S3 talk to, in a Python environment of its own below the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{finish, target};

/// What is installed.
const VERSION: &str = "5.2.5";

/// Makes an environment; what an interrupted installation left is made anew.
fn make(environment: &Path) -> Result<()> {
    finish(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))
}

/// The server's program, installed when it is missing.
pub(crate) fn server() -> Result<PathBuf> {
    let environment = target().join(format!("moto-{VERSION}"));
    let program = environment.join("bin/moto_server");
    if program.is_file() {
        return Ok(program);
    }
    println!("    installing moto {VERSION} into {}", environment.display());
    if make(&environment).is_err() {
        println!("    no Python with venv here: installing python3-venv");
        finish(Command::new("apt-get").args(["update", "--quiet=2"]))?;
        finish(Command::new("apt-get").args(["install", "--yes", "--quiet=2", "python3-venv"]))
            .context("tests of the store in S3 need a Python with venv")?;
        make(&environment)?;
    }
    let package = format!("moto[server,s3]=={VERSION}");
    let mut pip = Command::new(environment.join("bin/python"));
    finish(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package]))
        .context("cannot install the S3 server that tests need; offline, set up pip to use a mirror or a directory")?;
    Ok(program)
}
