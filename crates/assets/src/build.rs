//! Making assets by their recipes: the port that every builder implements, one builder per kind of recipe.

pub(crate) mod archive;
pub mod cargo;
pub mod embedded;
pub mod go;
pub mod image;
pub mod layer;
pub mod tree;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use catalog::{AssetRef, AssetSpec};
use tokio_util::sync::CancellationToken;

use crate::{AssetError, Task};

/// Finds the assets that a recipe names as its inputs; all of them are made before the build starts.
pub trait Inputs: Send + Sync {
    /// The file or directory of an input.
    fn path(&self, asset: &AssetRef) -> Result<PathBuf, AssetError>;
}

/// What a builder may ask and say while it builds.
pub struct BuildContext<'a> {
    /// The inputs.
    pub inputs: &'a dyn Inputs,
    /// An empty directory of its own on the cache's file system; removed afterwards, even after a failure.
    pub scratch: &'a Path,
    /// Where progress goes.
    pub task: &'a Task,
    /// Cancelled when the user stops it; programs started must end then ([`crate::process::run`] does that).
    pub cancel: &'a CancellationToken,
}

/// One asset to be made.
#[derive(Debug, Clone)]
pub struct Job {
    /// The asset.
    pub spec: AssetSpec,
    /// Where to put it: nothing is there yet, its parent directory is. A file, or a directory for trees.
    pub out: PathBuf,
}

/// Makes assets of one kind of recipe.
#[async_trait]
pub trait Build: Send + Sync {
    /// Assets with the same group are made by one call; alone by default.
    fn group(&self, spec: &AssetSpec) -> String {
        spec.asset_ref()
    }

    /// A name for progress, such as `kubernetes-1.36`.
    fn title(&self, spec: &AssetSpec) -> String {
        spec.name().to_owned()
    }

    /// Typical seconds on two cores with cold caches, for progress.
    fn estimate(&self, spec: &AssetSpec) -> Option<u64>;

    /// Whether a build keeps all cores busy, so that only one such build runs at a time.
    fn uses_all_cores(&self) -> bool {
        false
    }

    /// Checks that what the build needs (programs, rights) is there, before anything is built.
    async fn check(&self, spec: &AssetSpec) -> Result<(), AssetError> {
        let _ = spec;
        Ok(())
    }

    /// Whether builds need sources from elsewhere, so that [`Build::fetch_sources`] is called before each one has its turn.
    fn has_sources(&self) -> bool {
        false
    }

    /// Gets what [`Build::build`] will need from elsewhere, while other builds go on: it waits for the network more than it works.
    async fn fetch_sources(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError> {
        let _ = (jobs, context);
        Ok(())
    }

    /// Makes every job's asset at its `out`. Builds without a group of their own always get exactly one job.
    ///
    /// Recipes of another kind than the builder's are a bug of the caller: [`AssetError::Unreadable`].
    async fn build(&self, jobs: &[Job], context: &BuildContext<'_>) -> Result<(), AssetError>;
}

/// The error of a builder that is given a recipe of another kind.
pub(crate) fn wrong_kind(spec: &AssetSpec) -> AssetError {
    let why = "its recipe is of another kind than the builder's".to_owned();
    AssetError::Unreadable { what: spec.asset_ref(), why }
}

/// The only job of a builder without groups.
pub(crate) fn only(jobs: &[Job]) -> Result<&Job, AssetError> {
    let missing = || AssetError::Unreadable { what: "build".into(), why: "it has no single job".into() };
    if jobs.len() == 1 { jobs.first().ok_or_else(missing) } else { Err(missing()) }
}
