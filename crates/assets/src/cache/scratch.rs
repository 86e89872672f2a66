//! Directories for builds in progress, and the removal of those that killed processes left behind.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// A directory that has been locked by nobody for so long belongs to a process that is gone.
const ABANDONED: Duration = Duration::from_mins(10);

/// A directory for one build, locked while its process lives, removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: TempDir,
    _lock: std::fs::File,
}

impl Scratch {
    /// A new empty directory in `parent`.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        let directory = TempDir::new_in(parent)?;
        let lock = std::fs::File::open(directory.path())?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { directory, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes what killed processes left in `parent`.
pub(super) fn sweep(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)?.flatten() {
        let path = entry.path();
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::now());
        let old = modified.elapsed().is_ok_and(|age| age > ABANDONED);
        let Ok(file) = std::fs::File::open(&path) else { continue };
        if old && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // Best effort: a directory that cannot be removed only costs space.
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_directories_that_nobody_holds_are_swept() {
        let parent = TempDir::new().unwrap();
        let held = Scratch::new(parent.path()).unwrap();
        let (young, old) = (parent.path().join("young"), parent.path().join("old"));
        fs::create_dir(&young).unwrap();
        fs::create_dir(&old).unwrap();
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for path in [held.path(), &old] {
            std::fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
        sweep(parent.path()).unwrap();
        assert!(held.path().exists() && young.exists() && !old.exists());
    }
}
