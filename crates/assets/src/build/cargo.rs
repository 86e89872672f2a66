//! Builds this project's own static programs with cargo, in a target directory of their own.

use std::ffi::OsString;
use std::path::PathBuf;

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{CargoRecipe, Recipe};
use fs_err as fs;

use super::{Build, BuildContext, Job, only, wrong_kind};
use crate::AssetError;
use crate::process::{self, Program};

/// Builds programs of a workspace.
#[derive(Debug, Clone)]
pub struct CargoBuilder {
    /// The workspace's directory.
    workspace: PathBuf,
    /// Kept between builds; not the workspace's own, whose flags differ.
    target_directory: PathBuf,
    /// Directories whose paths must not stand in the program, and what stands there instead.
    hidden: Vec<(PathBuf, String)>,
}

impl CargoBuilder {
    /// Builds in `workspace`, keeping intermediate files in `target_directory`.
    pub fn new(workspace: impl Into<PathBuf>, target_directory: impl Into<PathBuf>) -> Self {
        let workspace = workspace.into();
        let hidden = vec![(workspace.clone(), "kubewright".to_owned())];
        Self { workspace, target_directory: target_directory.into(), hidden }
    }

    /// Keeps the path of a directory that sources come from (cargo's home) out of the program: it shows `name` instead.
    #[must_use]
    pub fn hiding(mut self, directory: impl Into<PathBuf>, name: &str) -> Self {
        self.hidden.push((directory.into(), name.to_owned()));
        self
    }

    /// The asset is named by the sources that the running program knows of. Others must not be built under that name.
    fn check_sources(&self, recipe: &CargoRecipe) -> Result<(), AssetError> {
        let (program, workspace) = (recipe.binary.clone(), self.workspace.clone());
        match sources::digest(&self.workspace, &recipe.package) {
            Ok(digest) if digest == recipe.sources => Ok(()),
            Ok(_) => Err(AssetError::SourcesChanged { program, workspace }),
            Err(source) => Err(AssetError::SourcesMissing { program, workspace, source }),
        }
    }

    fn cargo_build(&self, recipe: &CargoRecipe) -> Program {
        let arguments = [
            "build",
            "--locked",
            "--package",
            &recipe.package,
            "--bin",
            &recipe.binary,
            "--profile",
            &recipe.profile,
            "--target",
            &recipe.target,
            "--target-dir",
        ];
        let mut arguments: Vec<OsString> = arguments.map(Into::into).into();
        arguments.push(self.target_directory.clone().into());
        Program {
            what: format!("building {}", recipe.binary),
            program: "cargo".into(),
            arguments,
            directory: Some(self.workspace.clone()),
            environment: vec![
                ("CARGO_ENCODED_RUSTFLAGS".into(), self.rustflags(recipe)),
                ("CARGO_TERM_COLOR".into(), "never".into()),
            ],
        }
    }

    /// The recipe's flags, with this machine's paths kept out of the program.
    fn rustflags(&self, recipe: &CargoRecipe) -> OsString {
        let mut flags: Vec<OsString> = recipe.rustflags.split_whitespace().map(Into::into).collect();
        for (path, name) in &self.hidden {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(path);
            flag.push(format!("={name}"));
            flags.push(flag);
        }
        // Separated by the one character that cannot stand in a flag: paths may contain spaces.
        flags.join("\x1f".as_ref())
    }
}

fn recipe(spec: &AssetSpec) -> Result<&CargoRecipe, AssetError> {
    match spec.recipe() {
        Recipe::Cargo(recipe) => Ok(recipe),
        _ => Err(wrong_kind(spec)),
    }
}

#[async_trait]
impl Build for CargoBuilder {
    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        Some(15)
    }

    fn uses_all_cores(&self) -> bool {
        true
    }

    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        let recipe = recipe(spec)?;
        self.check_sources(recipe)?;
        let program = Program { arguments: vec!["--version".into()], ..self.cargo_build(recipe) };
        process::output(&program).await.map(|_| ())
    }

    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let job = only(jobs)?;
        let recipe = recipe(&job.spec)?;
        let program = self.cargo_build(recipe).with_temporary_files_in(context.scratch);
        process::run(&program, context.cancel, &mut |line| {
            let line = line.trim();
            if line.starts_with("Compiling") || line.starts_with("Blocking") {
                context.task.note(line.to_lowercase());
            }
        })
        .await?;
        let made = self.target_directory.join(&recipe.target).join(&recipe.profile).join(&recipe.binary);
        fs::copy(&made, &job.out).map_err(|e| AssetError::io(format!("find {}", made.display()), &made, e))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use catalog::{Selection, assets_for, find};

    use super::*;

    #[test]
    fn sources_that_are_gone_or_others_are_not_built_under_the_name_of_the_known_ones() {
        let workspace = tempfile::TempDir::new().unwrap();
        let place = workspace.path().display().to_string();
        let builder = CargoBuilder::new(workspace.path(), "/cache/cargo");
        let mut recipe = CargoRecipe {
            package: "agent".into(),
            binary: "kubewright-agent".into(),
            profile: "agent".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            rustflags: String::new(),
            sources: "known".into(),
        };
        let gone = builder.check_sources(&recipe).unwrap_err();
        assert!(matches!(gone, AssetError::SourcesMissing { .. }) && gone.to_string().contains(&place), "{gone}");
        assert!(gone.hint().unwrap().contains("released"), "{:?}", gone.hint());

        fs::write(workspace.path().join("Cargo.lock"), "").unwrap();
        fs::write(workspace.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        let changed = builder.check_sources(&recipe).unwrap_err();
        assert!(matches!(changed, AssetError::SourcesChanged { .. }), "{changed}");
        assert!(changed.hint().unwrap().contains("cargo build"), "{:?}", changed.hint());
        recipe.sources = sources::digest(workspace.path(), "agent").unwrap();
        builder.check_sources(&recipe).unwrap();
    }

    #[test]
    fn a_program_is_static_and_hides_where_it_was_built() {
        let set = assets_for(find("1.36").unwrap(), &Selection::default());
        let builder = CargoBuilder::new("/home/me/kube wright", "/cache/cargo").hiding("/home/me/.cargo", "cargo");
        let program = builder.cargo_build(recipe(set.get("kubewright-agent").unwrap()).unwrap());
        let flags = program.environment[0].1.to_string_lossy().replace('\x1f', "|");
        let expected = "-C|target-feature=+crt-static|--remap-path-prefix=/home/me/kube wright=kubewright\
                        |--remap-path-prefix=/home/me/.cargo=cargo";
        assert_eq!(flags, expected);
        assert!(program.arguments.contains(&"--locked".into()));
    }
}
