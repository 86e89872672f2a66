//! Where finished assets can be fetched from: the port that mirrors (and upstream's release addresses) implement.

pub mod mirror;

use std::path::Path;

use async_trait::async_trait;
use catalog::AssetSpec;
use tokio_util::sync::CancellationToken;

use crate::{AssetError, Task};

/// A source has an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// SHA-256 that the source promises, hex; what is fetched is checked against it.
    pub sha256: Option<String>,
    /// Bytes to transfer.
    pub size: Option<u64>,
}

/// Where finished assets can be fetched from.
#[async_trait]
pub trait Source: Send + Sync {
    /// A name for messages, such as `mirror /srv/assets`.
    fn name(&self) -> String;

    /// Whether the source has the asset. A source that does not answer in time has nothing.
    async fn offer(&self, spec: &AssetSpec) -> Result<Option<Offer>, AssetError>;

    /// Puts the asset at `out`, where nothing is yet. A transfer that was broken off continues where it stopped.
    async fn fetch(
        &self,
        spec: &AssetSpec,
        out: &Path,
        task: &Task,
        cancel: &CancellationToken,
    ) -> Result<(), AssetError>;
}
