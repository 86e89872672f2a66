//! One process makes an asset, the others wait: an OS lock per asset, gone with the process that held it.

use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use tokio_util::sync::CancellationToken;

use crate::{AssetError, Task};

/// How often a lock that somebody else holds is tried again.
const TIMEOUT: Duration = Duration::from_millis(250);

/// The right to make one asset, held until dropped.
#[must_use]
#[derive(Debug)]
pub(crate) struct AssetLock {
    _file: std::fs::File,
}

impl AssetLock {
    /// Waits for the lock at `path`, saying so.
    pub(crate) async fn acquire(path: PathBuf, task: &Task, cancel: &CancellationToken) -> Result<Self, AssetError> {
        let failed = |e| AssetError::io(format!("lock {}", path.display()), &path, e);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        let file = file.into_parts().0;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK) => task.note("waiting for another kubewright that makes it"),
                Err(errno) => return Err(failed(errno.into())),
            }
            tokio::select! {
                () = cancel.cancelled() => return Err(AssetError::Cancelled(task.name().to_owned())),
                () = tokio::time::sleep(TIMEOUT) => (),
            }
        }
    }
}
