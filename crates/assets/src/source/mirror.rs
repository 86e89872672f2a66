//! A mirror: what `assets mirror` writes and machines without internet access read, in a directory or behind a web
//! server.
//!
//! ```text
//! refs/<name>@<recipe>          kind, SHA-256 and size of an asset, JSON
//! objects/<sha256>              files
//! trees/<name>@<recipe>.tar     directories
//! ```

mod archive;
mod directory;
mod web;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use catalog::{AssetKind, AssetRef, AssetSet, AssetSpec};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use self::directory::Directory;
use self::web::Web;
use super::{FetchContext, Offer, Source};
use crate::cache::{sha256_of_file, write_atomically};
use crate::{AssetError, CachedAsset, Job, Task};

/// The files of a mirror. Paths are relative, with `/`.
#[async_trait]
trait Depot: Send + Sync {
    /// Where it is.
    fn place(&self) -> String;

    /// A short file; `None` where there is none.
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AssetError>;

    /// The size of a file; `None` where there is none.
    async fn size(&self, path: &str) -> Result<Option<u64>, AssetError>;

    /// Copies a file with this SHA-256 to `out`, where nothing is yet.
    async fn copy(&self, path: &str, sha256: &str, out: &Path, context: &FetchContext<'_>) -> Result<(), AssetError>;
}

/// A mirror that assets are fetched from.
#[derive(Clone)]
pub struct Mirror {
    depot: Arc<dyn Depot>,
}

/// A mirror in a directory, to be filled.
#[derive(Debug, Clone)]
pub struct MirrorDirectory {
    root: PathBuf,
}

/// What a mirror says about an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    kind: AssetKind,
    /// Of the file, or of the directory's manifest.
    sha256: String,
    size: u64,
    /// The archive that a directory is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archive: Option<ArchiveFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ArchiveFile {
    sha256: String,
    size: u64,
}

impl Entry {
    /// The file that holds the asset: its path, SHA-256 and size.
    fn file(&self, reference: &AssetRef) -> (String, &str, u64) {
        match &self.archive {
            Some(archive) => (format!("trees/{reference}.tar"), &archive.sha256, archive.size),
            None => (format!("objects/{}", self.sha256), &self.sha256, self.size),
        }
    }
}

fn reference_path(reference: &AssetRef) -> String {
    format!("refs/{reference}")
}

impl Mirror {
    /// The mirror in a directory.
    pub fn in_directory(root: impl Into<PathBuf>) -> Self {
        Self { depot: Arc::new(Directory::new(root.into())) }
    }

    /// The mirror at an `http://` or `https://` address. Downloads go through the cache at `cache`.
    pub fn on_the_web(address: &str, cache: &Path) -> Self {
        Self { depot: Arc::new(Web::new(address, cache)) }
    }

    /// What the mirror lacks of a set's wanted assets, by records and sizes.
    pub async fn missing(&self, set: &AssetSet) -> Result<Vec<AssetRef>, AssetError> {
        let mut missing = Vec::new();
        for spec in set.wanted() {
            if self.offer(spec).await?.is_none() {
                missing.push(spec.reference().clone());
            }
        }
        Ok(missing)
    }

    async fn entry(&self, reference: &AssetRef) -> Result<Option<Entry>, AssetError> {
        let path = reference_path(reference);
        let unreadable = |e: serde_json::Error| {
            let what = format!("{path} of {}", self.name());
            AssetError::Unreadable { what, why: e.to_string() }
        };
        let bytes = self.depot.read(&path).await?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(unreadable)).transpose()
    }
}

#[async_trait]
impl Source for Mirror {
    fn name(&self) -> String {
        format!("mirror {}", self.depot.place())
    }

    async fn offer(&self, spec: &AssetSpec) -> Result<Option<Offer>, AssetError> {
        let Some(entry) = self.entry(spec.reference()).await? else { return Ok(None) };
        let (path, _, size) = entry.file(spec.reference());
        let is_whole = self.depot.size(&path).await? == Some(size);
        Ok(is_whole.then_some(Offer { sha256: Some(entry.sha256), size: Some(size) }))
    }

    async fn fetch(&self, jobs: &[Job], context: &FetchContext<'_>) -> Result<(), AssetError> {
        for job in jobs {
            let reference = job.spec.reference();
            let missing = || AssetError::NoSource { asset: job.spec.asset_ref(), asked: vec![self.name()] };
            let entry = self.entry(reference).await?.ok_or_else(missing)?;
            let (path, sha256, _) = entry.file(reference);
            context.task.note(format!("copying from {}", self.name()));
            match entry.kind {
                AssetKind::File => self.depot.copy(&path, sha256, &job.out, context).await?,
                AssetKind::Tree => {
                    let tar = context.scratch.join("tree.tar");
                    self.depot.copy(&path, sha256, &tar, context).await?;
                    archive::unpack(&tar, &job.out, context).await?;
                }
            }
        }
        Ok(())
    }
}

impl MirrorDirectory {
    /// The mirror in `root`, which is made with the first asset.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Adds an asset. What is there already is not copied again.
    pub async fn publish(
        &self,
        asset: &CachedAsset,
        task: &Task,
        cancel: &CancellationToken,
    ) -> Result<(), AssetError> {
        let failed = |e| AssetError::io(format!("mirror {}", asset.reference), &self.root, e);
        for directory in ["objects", "trees", "refs"] {
            fs::create_dir_all(self.root.join(directory)).map_err(failed)?;
        }
        if self.has(asset).await? {
            return Ok(());
        }
        task.note("copying");
        let record = &asset.record;
        let mut entry = Entry { kind: record.kind, sha256: record.sha256.clone(), size: record.size, archive: None };
        let part = self.root.join("objects").join(format!("{}.part", record.sha256));
        match entry.kind {
            AssetKind::File => directory::copy(&asset.path, &part).await.map_err(failed)?,
            AssetKind::Tree => {
                archive::pack(&asset.path, &record.sha256, &part, task, cancel).await?;
                let (sha256, size) = sha256_of_file(&part).map_err(failed)?;
                entry.archive = Some(ArchiveFile { sha256, size });
            }
        }
        fs::rename(&part, self.root.join(entry.file(&asset.reference).0)).map_err(failed)?;
        let json = serde_json::to_vec(&entry).map_err(|e| failed(e.into()))?;
        write_atomically(&self.root.join(reference_path(&asset.reference)), &json).map_err(failed)
    }

    async fn has(&self, asset: &CachedAsset) -> Result<bool, AssetError> {
        let mirror = Mirror::in_directory(&self.root);
        let Some(entry) = mirror.entry(&asset.reference).await? else { return Ok(false) };
        let (path, _, size) = entry.file(&asset.reference);
        Ok(entry.sha256 == asset.record.sha256 && mirror.depot.size(&path).await? == Some(size))
    }
}
