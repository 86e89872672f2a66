//! A mirror in a directory.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use fs_err as fs;

use super::Depot;
use crate::AssetError;
use crate::source::FetchContext;

/// The files of a mirror in a directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The files below `root`.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

#[async_trait]
impl Depot for Directory {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AssetError> {
        let path = self.root.join(path);
        found(fs::read(&path)).map_err(|e| AssetError::io("read the mirror", &path, e))
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, AssetError> {
        let path = self.root.join(path);
        let metadata = found(fs::metadata(&path)).map_err(|e| AssetError::io("read the mirror", &path, e))?;
        Ok(metadata.map(|metadata| metadata.len()))
    }

    async fn copy(&self, path: &str, _sha256: &str, out: &Path, _: &FetchContext<'_>) -> Result<(), AssetError> {
        let from = self.root.join(path);
        copy(&from, out).await.map_err(|e| AssetError::io(format!("copy {}", from.display()), out, e))
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Copies a file; it is on the disk then.
pub(super) async fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (from.to_owned(), to.to_owned());
    let copying = move || -> io::Result<()> {
        fs::copy(&from, &to)?;
        fs::File::open(&to)?.sync_all()
    };
    tokio::task::spawn_blocking(copying).await.map_err(io::Error::other)?
}
