//! What is known about one asset in the cache, as a small JSON file.

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use catalog::AssetKind;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::AssetError;

/// What is known about one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// File or directory.
    pub kind: AssetKind,
    /// SHA-256 of the file, or of the directory's manifest, hex.
    pub sha256: String,
    /// Size in bytes; of a directory: of all its files.
    pub size: u64,
    /// When the file (or the directory itself) last changed, nanoseconds since 1970.
    pub modified: i64,
}

/// Reads a record; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Record>, AssetError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| AssetError::Unreadable { what: path.display().to_string(), why: e.to_string() }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(AssetError::io("read the asset cache", path, e)),
    }
}

/// Writes a record.
pub(super) fn write(path: &Path, record: &Record) -> io::Result<()> {
    write_atomically(path, &serde_json::to_vec(record)?)
}

/// Writes a file beside `path` and renames it, so that readers see all of it or nothing.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(parent)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// When the file or directory at `path` last changed, nanoseconds since 1970.
pub(super) fn modified(path: &Path) -> io::Result<i64> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec())
}

/// Whether what is at `path` looks unchanged since it was recorded.
pub(super) fn matches(path: &Path, record: &Record) -> bool {
    let size_matches = match record.kind {
        AssetKind::File => fs::metadata(path).is_ok_and(|metadata| metadata.len() == record.size),
        AssetKind::Tree => path.is_dir(),
    };
    size_matches && modified(path).is_ok_and(|modified| modified == record.modified)
}
