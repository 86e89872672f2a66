//! Fixes what the programs that run elsewhere are made of, and takes them in where they were built before: a program that was
//! moved to another host must not need the sources that it was built from.
#![expect(clippy::disallowed_methods, reason = "cargo tells build scripts in variables")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Constants in the generated file, packages and names of the programs.
const PROGRAMS: [(&str, &str, &str); 2] = [("AGENT", "agent", "kubewright-agent"), ("PAUSE", "pause", "pause")];
/// The directory of programs to take in, set by `cargo xtask dist`.
const BUILT: &str = "KUBEWRIGHT_PROGRAMS";

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = manifest.ancestors().nth(2).ok_or("this crate is not in its workspace")?;
    let built = env::var_os(BUILT).filter(|path| !path.is_empty()).map(PathBuf::from);
    println!("cargo::rerun-if-env-changed={BUILT}");
    let mut text = String::new();
    for (constant, package, binary) in PROGRAMS {
        for path in sources::inputs(workspace, package)? {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        let digest = sources::digest(workspace, package)?;
        let content = content(built.as_deref(), binary)?;
        writeln!(
            text,
            "const {constant}: Program = Program {{ binary: {binary:?}, sources: {digest:?}, content: {content} }};"
        )?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("programs.rs"), text)?;
    Ok(())
}

/// The expression of a program's content.
fn content(built: Option<&Path>, binary: &str) -> Result<String, Box<dyn Error>> {
    let Some(built) = built else { return Ok("None".to_owned()) };
    let path = built.join(binary).canonicalize().map_err(|error| format!("{BUILT} has no {binary}: {error}"))?;
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(format!("Some(include_bytes!({:?}))", path.to_str().ok_or("its path is no text")?))
}
