//! Makes the root file system that local machines boot from: Debian by mmdebstrap, trimmed to boot fast.

mod dress;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{Recipe, RootfsRecipe};

use crate::build::{only, wrong_kind};
use crate::process::{self, Program};
use crate::{AssetError, Build, BuildContext, Job};

/// What a machine never shows to anybody: half of the tree.
const EXCLUDED: [&str; 5] = [
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/share/bash-completion/*",
];
/// Licences stay with what they belong to.
const INCLUDED: &str = "/usr/share/doc/*/copyright";

/// Makes machines' root file systems with mmdebstrap.
#[derive(Debug, Clone, Copy, Default)]
pub struct RootfsBuilder;

fn recipe(spec: &AssetSpec) -> Result<&RootfsRecipe, AssetError> {
    match spec.recipe() {
        Recipe::Rootfs(recipe) => Ok(recipe),
        _ => Err(wrong_kind(spec)),
    }
}

#[async_trait]
impl Build for RootfsBuilder {
    fn title(&self, _spec: &AssetSpec) -> String {
        "machine image".into()
    }

    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        Some(60)
    }

    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        root()?;
        let program = Program { arguments: vec!["--version".into()], ..mmdebstrap(recipe(spec)?, Path::new("")) };
        process::output(&program).await.map(|_| ())
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let job = only(jobs)?;
        let recipe = recipe(&job.spec)?;
        root()?;
        let program = mmdebstrap(recipe, &job.out).with_temporary_files_in(context.scratch);
        process::run(&program, context.cancel, &mut |line| {
            context.task.note(line.trim_start_matches("I: ").trim_end_matches("..."));
        })
        .await?;
        dress::dress(&job.out, recipe).map_err(|e| AssetError::io("prepare the machine image", &job.out, e))
    }
}

/// The tree's files must belong to root, also outside any user namespace.
fn root() -> Result<(), AssetError> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let source = io::Error::new(io::ErrorKind::PermissionDenied, "run kubewright with sudo");
    Err(AssetError::Io { what: "make the machine image without root".into(), source })
}

/// Without a mirror's address, mmdebstrap takes the operating system's own one.
fn mmdebstrap(recipe: &RootfsRecipe, out: &Path) -> Program {
    let mut arguments: Vec<OsString> = vec![
        "--mode=root".into(),
        "--variant=minbase".into(),
        "--format=directory".into(),
        "--aptopt=Acquire::Languages \"none\"".into(),
    ];
    arguments.extend(EXCLUDED.map(|path| format!("--dpkgopt=path-exclude={path}").into()));
    arguments.push(format!("--dpkgopt=path-include={INCLUDED}").into());
    arguments.push(format!("--include={}", recipe.packages.join(",")).into());
    arguments.extend([recipe.suite.clone().into(), out.into()]);
    Program { what: "making the machine image".into(), program: "mmdebstrap".into(), arguments, ..Program::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mirror_is_named() {
        let recipe = RootfsRecipe {
            suite: "trixie".into(),
            packages: vec!["systemd".into(), "runc".into()],
            masked_units: Vec::new(),
            revision: 1,
        };
        let program = mmdebstrap(&recipe, Path::new("/out"));
        let arguments: Vec<_> = program.arguments.iter().filter_map(|argument| argument.to_str()).collect();
        assert!(arguments.contains(&"--include=systemd,runc"));
        assert_eq!(arguments[arguments.len() - 2..], ["trixie", "/out"]);
    }
}
