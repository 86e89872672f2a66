//! Where finished assets can be fetched from: the port that mirrors and upstream's release addresses implement.

pub mod mirror;
pub mod upstream;

use std::path::Path;

use async_trait::async_trait;
use catalog::AssetSpec;
use tokio_util::sync::CancellationToken;

use crate::{AssetError, Job, Task};

/// A source has an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// SHA-256 of the asset that the source promises, hex; what is fetched is checked against it.
    pub sha256: Option<String>,
    /// Bytes to transfer.
    pub size: Option<u64>,
}

/// What a source may use and say while it fetches.
pub struct FetchContext<'a> {
    /// An empty directory of its own on the cache's file system; removed afterwards, even after a failure.
    pub scratch: &'a Path,
    /// Where progress goes.
    pub task: &'a Task,
    /// Cancelled when the user stops it.
    pub cancel: &'a CancellationToken,
}

/// Where finished assets can be fetched from.
#[async_trait]
pub trait Source: Send + Sync {
    /// A name for messages, such as `mirror /srv/assets`.
    fn name(&self) -> String;

    /// Assets with the same group are fetched by one call (files of one archive); alone by default.
    fn group(&self, spec: &AssetSpec) -> String {
        spec.asset_ref()
    }

    /// Whether the source has the asset. Asked for many assets at once.
    async fn offer(&self, spec: &AssetSpec) -> Result<Option<Offer>, AssetError>;

    /// Puts every job's asset at its `out`. A transfer that was broken off continues where it stopped.
    async fn fetch(&self, jobs: &[Job], context: &FetchContext<'_>) -> Result<(), AssetError>;
}
