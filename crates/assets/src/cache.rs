//! The cache: files under their SHA-256, directories under their recipe, shared by clusters and by processes.
//!
//! ```text
//! objects/<sha256>              files
//! trees/<name>@<recipe>/        directories
//! manifests/<name>@<recipe>     what is in a directory, one line per path
//! refs/<name>@<recipe>          the record of an asset: kind, SHA-256, size, time of change
//! locks/<name>@<recipe>         locked while somebody makes the asset
//! downloads/<sha256>            beginnings of downloads
//! scratch/                      builds in progress
//! quarantine/                   what was found damaged
//! cargo/                        target directory of our own programs
//! ```

mod hash;
mod lock;
mod record;
mod scratch;
mod tree;

use std::io;
use std::path::{Path, PathBuf};

use catalog::{AssetKind, AssetRef, LockEntry};
use engine::{AssetFiles, AssetMissing};
use fs_err as fs;

pub(crate) use hash::sha256_of_file;
pub(crate) use lock::AssetLock;
pub use record::Record;
pub(crate) use record::write_atomically;
pub(crate) use scratch::Scratch;
pub(crate) use tree::Manifest;

use crate::{AssetError, Inputs};

/// The cache of assets.
#[derive(Debug, Clone)]
pub struct AssetCache {
    root: PathBuf,
}

/// An asset that is in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedAsset {
    /// Its name and recipe.
    pub reference: AssetRef,
    /// What is known about it.
    pub record: Record,
    /// Where it is.
    pub path: PathBuf,
}

impl CachedAsset {
    /// The lock entry that pins it.
    pub fn lock_entry(&self) -> LockEntry {
        LockEntry {
            recipe: self.reference.recipe().to_owned(),
            sha256: self.record.sha256.clone(),
            size: self.record.size,
        }
    }
}

impl AssetCache {
    /// Opens the cache in `root`. Nothing is made there before something is put into it: whoever only looks may have a home
    /// that cannot be written to.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        let cache = Self { root: root.into() };
        // What cannot be cleaned only costs space.
        let _ = scratch::sweep(&cache.root.join("scratch"));
        cache
    }

    fn make(&self) -> Result<(), AssetError> {
        for directory in ["objects", "trees", "manifests", "refs", "scratch"] {
            let path = self.root.join(directory);
            fs::create_dir_all(&path).map_err(|e| AssetError::io("make the asset cache", &path, e))?;
        }
        Ok(())
    }

    /// Where the cache is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The asset, checked by size and time of change; rehashed only where those changed.
    ///
    /// # Errors
    /// [`AssetError::Damaged`] when its content is not what was put there; it is out of the way then.
    pub fn find(&self, reference: &AssetRef) -> Result<Option<CachedAsset>, AssetError> {
        let Some(asset) = self.look_up(reference)? else { return Ok(None) };
        if record::matches(&asset.path, &asset.record) {
            return Ok(Some(asset));
        }
        self.rehash(asset)
    }

    /// The asset, with all its content hashed again.
    pub fn verify(&self, reference: &AssetRef) -> Result<Option<CachedAsset>, AssetError> {
        self.look_up(reference)?.map_or(Ok(None), |asset| self.rehash(asset))
    }

    /// All assets that are there, by name and recipe.
    pub fn list(&self) -> Result<Vec<CachedAsset>, AssetError> {
        let directory = self.root.join("refs");
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(AssetError::io("list the asset cache", &directory, error)),
        };
        let mut references: Vec<AssetRef> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        references.sort();
        let found = references.iter().map(|reference| self.look_up(reference));
        found.filter_map(Result::transpose).collect()
    }

    /// A new empty directory on the cache's file system, removed when dropped.
    pub(crate) fn scratch(&self) -> Result<Scratch, AssetError> {
        self.make()?;
        let parent = self.root.join("scratch");
        Scratch::new(&parent).map_err(|e| AssetError::io("make a scratch directory", &parent, e))
    }

    /// Locks an asset against other processes that want to make it.
    pub(crate) fn lock_file(&self, reference: &AssetRef) -> PathBuf {
        self.root.join("locks").join(reference.to_string())
    }

    /// What `made` (a file or directory on the cache's file system) would be recorded as.
    pub(crate) fn measure(kind: AssetKind, made: &Path) -> Result<(Record, Option<Manifest>), AssetError> {
        let failed = |e| AssetError::io(format!("read {}", made.display()), made, e);
        match kind {
            AssetKind::File => {
                let (sha256, size) = sha256_of_file(made).map_err(failed)?;
                Ok((Record { kind, sha256, size, modified: 0 }, None))
            }
            AssetKind::Tree => {
                let manifest = Manifest::of(made).map_err(failed)?;
                let record = Record { kind, sha256: manifest.sha256(), size: manifest.size(), modified: 0 };
                Ok((record, Some(manifest)))
            }
        }
    }

    /// Moves `made`, measured before, into the cache.
    pub(crate) fn insert(
        &self,
        reference: &AssetRef,
        made: &Path,
        measured: (Record, Option<Manifest>),
    ) -> Result<CachedAsset, AssetError> {
        self.make()?;
        let failed = |e| AssetError::io(format!("put {reference} into the asset cache"), &self.root, e);
        let (mut record, manifest) = measured;
        let path = self.place(reference, &record);
        match record.kind {
            AssetKind::File => settle_file(made, &path, record.size).map_err(failed)?,
            AssetKind::Tree => settle_tree(made, &path).map_err(failed)?,
        }
        if let Some(manifest) = manifest {
            record::write_atomically(&self.manifest(reference), manifest.text().as_bytes()).map_err(failed)?;
        }
        record.modified = record::modified(&path).map_err(failed)?;
        record::write(&self.record(reference), &record).map_err(failed)?;
        Ok(CachedAsset { reference: reference.clone(), record, path })
    }

    fn look_up(&self, reference: &AssetRef) -> Result<Option<CachedAsset>, AssetError> {
        let Some(record) = record::read(&self.record(reference))? else { return Ok(None) };
        let path = self.place(reference, &record);
        // The record alone is left when a user removed the content to save space: as good as never made.
        Ok(path.exists().then(|| CachedAsset { reference: reference.clone(), record, path }))
    }

    fn rehash(&self, mut asset: CachedAsset) -> Result<Option<CachedAsset>, AssetError> {
        let (found, _) = Self::measure(asset.record.kind, &asset.path)?;
        if found.sha256 != asset.record.sha256 {
            let moved_to = self.quarantine(&asset);
            return Err(AssetError::Damaged {
                asset: asset.reference.to_string(),
                expected: asset.record.sha256,
                found: found.sha256,
                moved_to,
            });
        }
        let failed = |e| AssetError::io(format!("record {}", asset.reference), &self.root, e);
        asset.record.modified = record::modified(&asset.path).map_err(failed)?;
        // A cache that only others may write is still good for reading.
        let _ = record::write(&self.record(&asset.reference), &asset.record);
        Ok(Some(asset))
    }

    /// Moves a damaged asset out of the way. Tells where to, when that worked.
    fn quarantine(&self, asset: &CachedAsset) -> Option<PathBuf> {
        let to = set_aside(&self.root, &asset.path, &asset.reference.to_string())?;
        let _ = fs::remove_file(self.record(&asset.reference));
        Some(to)
    }

    fn place(&self, reference: &AssetRef, record: &Record) -> PathBuf {
        match record.kind {
            AssetKind::File => self.root.join("objects").join(&record.sha256),
            AssetKind::Tree => self.root.join("trees").join(reference.to_string()),
        }
    }

    fn record(&self, reference: &AssetRef) -> PathBuf {
        self.root.join("refs").join(reference.to_string())
    }

    fn manifest(&self, reference: &AssetRef) -> PathBuf {
        self.root.join("manifests").join(reference.to_string())
    }
}

/// Now, as a suffix that no earlier damaged copy has.
fn moment() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:09}", now.as_secs(), now.subsec_nanos())
}

/// Moves what is not what it should be into the quarantine of the cache at `root`. Tells where to, when that worked.
pub(crate) fn set_aside(root: &Path, path: &Path, name: &str) -> Option<PathBuf> {
    let quarantine = root.join("quarantine");
    fs::create_dir_all(&quarantine).ok()?;
    let to = quarantine.join(format!("{name}-{}", moment()));
    fs::rename(path, &to).ok()?;
    Some(to)
}

/// Moves a file to its place under its digest; read-only from then on.
fn settle_file(made: &Path, place: &Path, size: u64) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if fs::metadata(place).is_ok_and(|there| there.len() == size) {
        return Ok(()); // Another recipe gave the same content.
    }
    let executable = fs::metadata(made)?.permissions().mode() & 0o100 != 0;
    fs::set_permissions(made, std::fs::Permissions::from_mode(if executable { 0o555 } else { 0o444 }))?;
    fs::File::open(made)?.sync_all()?;
    fs::rename(made, place)
}

/// Moves a directory to its place; whatever an interrupted run left there goes first.
fn settle_tree(made: &Path, place: &Path) -> io::Result<()> {
    match fs::remove_dir_all(place) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => (),
    }
    fs::rename(made, place)
}

impl AssetFiles for AssetCache {
    fn path(&self, asset: &str) -> Result<PathBuf, AssetMissing> {
        self.present(asset).map(|found| found.path)
    }

    fn sha256(&self, asset: &str) -> Result<String, AssetMissing> {
        self.present(asset).map(|found| found.record.sha256)
    }
}

impl AssetCache {
    fn present(&self, asset: &str) -> Result<CachedAsset, AssetMissing> {
        let missing = || AssetMissing(asset.to_owned());
        let reference: AssetRef = asset.parse().map_err(|_| missing())?;
        let found = self.find(&reference).map_err(|error| {
            tracing::warn!(%error, asset, "asset is not usable");
            missing()
        })?;
        found.ok_or_else(missing)
    }
}

impl Inputs for AssetCache {
    fn path(&self, asset: &AssetRef) -> Result<PathBuf, AssetError> {
        let found = self.find(asset)?.map(|found| found.path);
        found.ok_or_else(|| AssetError::Missing(AssetMissing(asset.to_string())))
    }
}

#[cfg(test)]
mod tests;
