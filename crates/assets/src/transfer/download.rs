//! Downloads whose digest is known beforehand: kept while incomplete, so that the next run goes on with them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use tokio_util::sync::CancellationToken;

use super::{Backoff, Remote, transfer};
use crate::cache::{AssetLock, set_aside, sha256_of_file};
use crate::{AssetError, Task};

/// How long the beginning of a file is kept for somebody to go on with.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// A directory of downloads.
#[derive(Debug, Clone)]
pub(crate) struct Downloads {
    cache: PathBuf,
}

/// A finished download with the right content, removed when dropped.
#[derive(Debug)]
pub(crate) struct Download {
    path: PathBuf,
    _lock: AssetLock,
}

impl Download {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Downloads {
    /// Downloads in the cache at `root`.
    pub(crate) fn of_cache(root: &Path) -> Self {
        Self { cache: root.to_owned() }
    }

    /// Downloads a file with this SHA-256 (hex).
    ///
    /// # Errors
    /// [`AssetError::Damaged`] when what came is something else; it is in quarantine then.
    pub(crate) async fn get(
        &self,
        remote: &dyn Remote,
        sha256: &str,
        backoff: &Backoff,
        task: &Task,
        cancel: &CancellationToken,
    ) -> Result<Download, AssetError> {
        let directory = self.cache.join("downloads");
        let failed = |e| AssetError::io("make the directory of downloads", &directory, e);
        fs::create_dir_all(&directory).and_then(|()| sweep(&directory)).map_err(failed)?;
        let path = directory.join(sha256);
        let lock =
            AssetLock::acquire(self.cache.join("locks").join(format!("download-{sha256}")), task, cancel).await?;
        let resumed = path.exists();
        if !(resumed && digest(&path).await? == sha256) {
            transfer(remote, &path, backoff, task, cancel).await?;
            let mut found = digest(&path).await?;
            if found != sha256 && resumed {
                // The beginning may have been another file's; what comes in one piece decides.
                fs::remove_file(&path).map_err(failed)?;
                transfer(remote, &path, backoff, task, cancel).await?;
                found = digest(&path).await?;
            }
            if found != sha256 {
                return Err(self.refuse(&path, remote, sha256, found));
            }
        }
        Ok(Download { path, _lock: lock })
    }

    fn refuse(&self, path: &Path, remote: &dyn Remote, expected: &str, found: String) -> AssetError {
        let moved_to = set_aside(&self.cache, path, &found);
        AssetError::Damaged { asset: remote.address(), expected: expected.to_owned(), found, moved_to }
    }
}

/// Removes what nobody went on with.
fn sweep(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)?.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > KEPT)) {
            // Best effort: a file that cannot be removed only costs space.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

async fn digest(path: &Path) -> Result<String, AssetError> {
    let failed = |e| AssetError::io(format!("read {}", path.display()), path, e);
    let owned = path.to_owned();
    let hashed = tokio::task::spawn_blocking(move || sha256_of_file(&owned)).await;
    hashed.map_err(|e| failed(io::Error::other(e)))?.map(|(sha256, _)| sha256).map_err(failed)
}
