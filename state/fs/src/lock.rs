//! The lock of a cluster: held by the operating system for the process's life, so a killed process blocks nobody.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use engine::{Lease, LockInfo, StoreError};
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::paths::unusable;

/// What stands in the lock file: who holds it now, or held it last.
#[derive(Serialize, Deserialize)]
struct LockFile {
    epoch: u64,
    holder: LockInfo,
}

/// A held lock.
pub(crate) struct FsLease {
    epoch: u64,
    /// Closing the file releases the lock.
    _file: fs::File,
}

impl Lease for FsLease {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Takes the lock or says who holds it.
pub(crate) fn lock(path: &Path, info: LockInfo) -> Result<FsLease, StoreError> {
    let failed = || unusable(format!("lock {}", path.display()));
    let mut file =
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed())?;
    let taken = flock(file.file(), FlockOperation::NonBlockingLockExclusive);
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed())?;
    let last: Option<LockFile> = serde_json::from_str(&text).ok();
    if let Err(error) = taken {
        return Err(match last {
            Some(last) if error == rustix::io::Errno::WOULDBLOCK => StoreError::Locked(last.holder),
            _ => failed()(error.into()),
        });
    }
    let epoch = last.map_or(0, |last| last.epoch) + 1;
    let text = serde_json::to_string(&LockFile { epoch, holder: info }).map_err(|error| failed()(error.into()))?;
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .map_err(failed())?;
    Ok(FsLease { epoch, _file: file })
}
