//! The programs that a released kubewright has inside: the agent and pause, as the catalogue's recipes say.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Profile;
use crate::workspace::{cargo_home, finish, root, target};

/// Packages and programs.
const PROGRAMS: [(&str, &str); 2] = [("agent", "kubewright-agent"), ("pause", "pause")];
/// Where they run.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// They need no library of the machine's.
const STATIC: &str = "-C target-feature=+crt-static";
/// Small before fast.
const PROFILE: &str = "agent";

/// Builds them; gives the directory that they are in.
pub(super) fn build(profile: Profile) -> Result<PathBuf> {
    let directory = target().join("dist-programs");
    let profile = if profile == Profile::Release { PROFILE } else { "dev" };
    for (package, program) in PROGRAMS {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--locked", "--package", package, "--bin", program]);
        command.args(["--profile", profile, "--target", TARGET, "--target-dir"]).arg(&directory);
        finish(command.env("CARGO_ENCODED_RUSTFLAGS", flags()?).current_dir(root()))?;
    }
    Ok(directory.join(TARGET).join(if profile == "dev" { "debug" } else { profile }))
}

/// The recipe's flags, with this machine's paths kept out of the program.
fn flags() -> Result<String> {
    let hidden = [Some((root(), "kubewright")), cargo_home().map(|home| (home, "cargo"))];
    let mut flags: Vec<String> = STATIC.split(' ').map(str::to_owned).collect();
    for (path, name) in hidden.into_iter().flatten() {
        let path = path.to_str().context("a directory has a name that is no text")?;
        flags.push(format!("--remap-path-prefix={path}={name}"));
    }
    Ok(flags.join("\x1f"))
}

#[cfg(test)]
mod tests {
    use catalog::{Recipe, Selection, assets_for, releases};

    use super::*;

    #[test]
    fn programs_are_built_as_their_recipes_say() {
        let release = releases().first().expect("a release");
        let set = assets_for(release, &Selection::default());
        for (package, program) in PROGRAMS {
            let spec = set.get(program).expect("an asset of this name");
            let Recipe::Cargo(recipe) = spec.recipe() else { panic!("{program} is built with cargo") };
            assert_eq!((recipe.package.as_str(), recipe.binary.as_str()), (package, program));
            assert_eq!((recipe.profile.as_str(), recipe.target.as_str()), (PROFILE, TARGET));
            assert_eq!(recipe.rustflags, STATIC);
        }
    }
}
