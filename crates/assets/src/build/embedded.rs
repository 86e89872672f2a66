//! This project's own static programs as parts of a released program: written out, without sources or a compiler.

use std::os::unix::fs::PermissionsExt as _;

use async_trait::async_trait;
use catalog::AssetSpec;
use catalog::recipe::{CargoRecipe, Recipe};
use fs_err as fs;

use super::{Build, BuildContext, Job, only, wrong_kind};
use crate::AssetError;

/// A program that was built together with the one that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedProgram {
    /// Its name, such as `kubewright-agent`.
    pub binary: &'static str,
    /// SHA-256 over the sources that it was built from, hex.
    pub sources: &'static str,
    /// The program.
    pub content: &'static [u8],
}

/// Gives programs that it has.
#[derive(Debug, Clone)]
pub struct EmbeddedPrograms(Vec<EmbeddedProgram>);

impl EmbeddedPrograms {
    /// Gives these programs.
    pub fn new(programs: impl IntoIterator<Item = EmbeddedProgram>) -> Self {
        Self(programs.into_iter().collect())
    }

    fn program(&self, spec: &AssetSpec) -> Result<&EmbeddedProgram, AssetError> {
        let Recipe::Cargo(CargoRecipe { binary, sources, .. }) = spec.recipe() else { return Err(wrong_kind(spec)) };
        let found = self.0.iter().find(|program| program.binary == binary && program.sources == sources);
        found.ok_or_else(|| AssetError::NoSource {
            asset: spec.asset_ref(),
            asked: vec!["the programs in this kubewright".to_owned()],
        })
    }

    fn put(&self, job: &Job) -> Result<(), AssetError> {
        let program = self.program(&job.spec)?;
        let failed = |error| AssetError::io(format!("write {}", job.out.display()), &job.out, error);
        fs::write(&job.out, program.content).map_err(failed)?;
        fs::set_permissions(&job.out, std::fs::Permissions::from_mode(0o755)).map_err(failed)
    }
}

#[async_trait]
impl Build for EmbeddedPrograms {
    fn estimate(&self, _spec: &AssetSpec) -> Option<u64> {
        None
    }

    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        self.program(spec).map(drop)
    }

    async fn build(&self, jobs: &[Job], _context: &BuildContext<'_>) -> Result<(), AssetError> {
        self.put(only(jobs)?)
    }
}

#[cfg(test)]
mod tests {
    use catalog::{Selection, SourceDigests, assets_for, find};

    use super::*;

    #[tokio::test]
    async fn a_program_is_given_only_for_the_sources_that_it_was_built_from() {
        let agent = EmbeddedProgram { binary: "kubewright-agent", sources: "aa", content: b"program" };
        let programs = EmbeddedPrograms::new([agent]);
        let spec = |sources: &str| {
            let sources = SourceDigests { agent: sources.to_owned(), pause: "cc".to_owned() };
            let set = assets_for(find("1.36").unwrap(), &Selection { sources, ..Selection::default() });
            set.get("kubewright-agent").unwrap().clone()
        };
        assert_eq!(programs.program(&spec("aa")).unwrap(), &agent);
        programs.check(&spec("aa")).await.unwrap();
        let directory = tempfile::TempDir::new().unwrap();
        let out = directory.path().join("agent");
        programs.put(&Job { spec: spec("aa"), out: out.clone() }).unwrap();
        assert_eq!(fs::read(&out).unwrap(), agent.content);
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o755);
        let error = programs.check(&spec("bb")).await.unwrap_err();
        assert!(error.to_string().contains("no source has kubewright-agent"), "{error}");
    }
}
