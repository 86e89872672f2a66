//! The port to files that were built or fetched before a run.

use std::path::PathBuf;

use thiserror::Error;

/// An asset that a plan refers to is not in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("asset {0} is not in the cache")]
pub struct AssetMissing(pub String);

/// Finds the files of assets on this host.
pub trait AssetFiles: Send + Sync {
    /// The file or directory of `asset` (`name@recipe-digest`).
    fn path(&self, asset: &str) -> Result<PathBuf, AssetMissing>;

    /// SHA-256 of the asset's file, hex; for trees, of their manifest.
    fn sha256(&self, asset: &str) -> Result<String, AssetMissing>;
}
