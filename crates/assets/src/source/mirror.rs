//! A mirror in a directory: what `assets mirror` writes and machines without internet access read.
//!
//! ```text
//! refs/<name>@<recipe>          kind, SHA-256 and size of an asset, JSON
//! objects/<sha256>              files
//! trees/<name>@<recipe>.tar     directories
//! ```

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use catalog::{AssetKind, AssetRef, AssetSet, AssetSpec};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{Offer, Source};
use crate::cache::{sha256_of_file, write_atomically};
use crate::process::{self, Program};
use crate::{AssetError, CachedAsset, Task};

/// A mirror in a directory.
#[derive(Debug, Clone)]
pub struct Mirror {
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
}

impl Mirror {
    /// The mirror in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Adds an asset to the mirror, which is made where there is none. What is there already is not copied again.
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
        let record = &asset.record;
        let entry = Entry { kind: record.kind, sha256: record.sha256.clone(), size: record.size };
        let content = self.content(&asset.reference, &entry);
        if self.entry(&asset.reference)?.as_ref() == Some(&entry) && content.exists() {
            return Ok(());
        }
        task.note("copying");
        let part = content.with_extension("part");
        match entry.kind {
            AssetKind::File => copy(&asset.path, &part).await.map_err(failed)?,
            AssetKind::Tree => pack(&asset.path, &part, task, cancel).await?,
        }
        fs::rename(&part, &content).map_err(failed)?;
        let json = serde_json::to_vec(&entry).map_err(|e| failed(e.into()))?;
        write_atomically(&self.root.join("refs").join(asset.reference.to_string()), &json).map_err(failed)
    }

    /// What the mirror lacks of a set's wanted assets. With `deep`, files are hashed.
    pub fn missing(&self, set: &AssetSet, deep: bool) -> Result<Vec<AssetRef>, AssetError> {
        let mut missing = Vec::new();
        for spec in set.wanted() {
            if !self.has(spec.reference(), deep)? {
                missing.push(spec.reference().clone());
            }
        }
        Ok(missing)
    }

    fn has(&self, reference: &AssetRef, deep: bool) -> Result<bool, AssetError> {
        let Some(entry) = self.entry(reference)? else { return Ok(false) };
        let content = self.content(reference, &entry);
        match entry.kind {
            AssetKind::File if deep => Ok(sha256_of_file(&content).is_ok_and(|(sha256, _)| sha256 == entry.sha256)),
            AssetKind::File => Ok(fs::metadata(&content).is_ok_and(|metadata| metadata.len() == entry.size)),
            AssetKind::Tree => Ok(content.exists()),
        }
    }

    fn entry(&self, reference: &AssetRef) -> Result<Option<Entry>, AssetError> {
        let path = self.root.join("refs").join(reference.to_string());
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| AssetError::Unreadable { what: path.display().to_string(), why: e.to_string() }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(AssetError::io("read the mirror", &path, e)),
        }
    }

    fn content(&self, reference: &AssetRef, entry: &Entry) -> PathBuf {
        match entry.kind {
            AssetKind::File => self.root.join("objects").join(&entry.sha256),
            AssetKind::Tree => self.root.join("trees").join(format!("{reference}.tar")),
        }
    }
}

#[async_trait]
impl Source for Mirror {
    fn name(&self) -> String {
        format!("mirror {}", self.root.display())
    }

    async fn offer(&self, spec: &AssetSpec) -> Result<Option<Offer>, AssetError> {
        if !self.has(spec.reference(), false)? {
            return Ok(None);
        }
        let entry = self.entry(spec.reference())?;
        Ok(entry.map(|entry| Offer { sha256: Some(entry.sha256), size: Some(entry.size) }))
    }

    async fn fetch(
        &self,
        spec: &AssetSpec,
        out: &Path,
        task: &Task,
        cancel: &CancellationToken,
    ) -> Result<(), AssetError> {
        let reference = spec.reference();
        let missing = || AssetError::NoSource { asset: spec.asset_ref(), asked: vec![self.name()] };
        let entry = self.entry(reference)?.ok_or_else(missing)?;
        let content = self.content(reference, &entry);
        task.note(format!("copying from {}", self.name()));
        match entry.kind {
            AssetKind::File => {
                copy(&content, out).await.map_err(|e| AssetError::io(format!("copy {reference}"), out, e))
            }
            AssetKind::Tree => unpack(&content, out, task, cancel).await,
        }
    }
}

async fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (from.to_owned(), to.to_owned());
    let copying = move || -> io::Result<()> {
        fs::copy(&from, &to)?;
        fs::File::open(&to)?.sync_all()
    };
    tokio::task::spawn_blocking(copying).await.map_err(io::Error::other)?
}

/// GNU tar keeps what the directories of machines hold: owners, devices, hard links, file capabilities.
async fn pack(tree: &Path, tar: &Path, task: &Task, cancel: &CancellationToken) -> Result<(), AssetError> {
    let mut arguments = vec!["--create".into(), "--sort=name".into(), "--file".into(), tar.as_os_str().to_owned()];
    arguments.extend(["--directory".into(), tree.as_os_str().to_owned(), ".".into()]);
    tar_with(format!("packing {}", task.name()), arguments, cancel).await
}

async fn unpack(tar: &Path, tree: &Path, task: &Task, cancel: &CancellationToken) -> Result<(), AssetError> {
    fs::create_dir(tree).map_err(|e| AssetError::io(format!("unpack {}", task.name()), tree, e))?;
    let mut arguments = vec!["--extract".into(), "--preserve-permissions".into(), "--same-owner".into()];
    arguments.extend(["--file".into(), tar.as_os_str().to_owned(), "--directory".into(), tree.as_os_str().to_owned()]);
    tar_with(format!("unpacking {}", task.name()), arguments, cancel).await
}

async fn tar_with(
    what: String,
    arguments: Vec<std::ffi::OsString>,
    cancel: &CancellationToken,
) -> Result<(), AssetError> {
    let all = ["--xattrs", "--xattrs-include=*", "--numeric-owner"].map(Into::into).into_iter().chain(arguments);
    let program = Program { what, program: "tar".into(), arguments: all.collect(), ..Program::default() };
    process::run(&program, cancel, &mut |_| ()).await
}
