//! The lock of a cluster: held by the operating system for the process's life, so a killed process blocks nobody.

use std::io::{Read as _, Seek as _, Write as _};
use std::time::{Duration, SystemTime};

use engine::{Lease, LockInfo, StoreError};
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::paths::{Paths, unusable};

/// What stands in the lock file: who holds it now, or held it last.
#[derive(Serialize, Deserialize)]
struct LockFile {
    epoch: u64,
    holder: LockInfo,
}

/// How often, and after which pauses, is looked who the holder is.
const READS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

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

fn read(file: &mut fs::File) -> std::io::Result<Option<LockFile>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text).ok())
}

/// Who holds the lock. Whoever took it just now may not have written down yet who it is.
fn read_holder(file: &mut fs::File) -> Option<LockInfo> {
    for _ in 0..READS {
        if let Ok(Some(last)) = read(file) {
            return Some(last.holder);
        }
        std::thread::sleep(PAUSE);
    }
    None
}

/// Takes the lock or says who holds it.
pub(crate) fn lock(paths: &Paths, info: LockInfo) -> Result<FsLease, StoreError> {
    let path = paths.lock();
    let failed = || unusable(format!("lock {}", path.display()));
    let mut file =
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed())?;
    let taken = flock(file.file(), FlockOperation::NonBlockingLockExclusive);
    if let Err(error) = taken {
        return Err(match read_holder(&mut file) {
            Some(holder) if error == rustix::io::Errno::WOULDBLOCK => StoreError::Locked(holder),
            _ => failed()(error.into()),
        });
    }
    let last = read(&mut file).map_err(failed())?;
    let epoch = next_epoch(last.map(|last| last.epoch), paths.head().exists(), SystemTime::now());
    let text = serde_json::to_string(&LockFile { epoch, holder: info }).map_err(|error| failed()(error.into()))?;
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .map_err(failed())?;
    Ok(FsLease { epoch, _file: file })
}

/// The epoch after the last one. Agents refuse lower ones than they have seen, so where a lock file was deleted or damaged
/// by hand, counting cannot begin anew: seconds since 1970 are more than locks were ever taken.
fn next_epoch(last: Option<u64>, was_made: bool, now: SystemTime) -> u64 {
    match last {
        Some(last) => last.saturating_add(1),
        None if was_made => {
            now.duration_since(SystemTime::UNIX_EPOCH).map_or(u64::from(u32::MAX), |since| since.as_secs())
        }
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_rise_even_when_the_lock_file_is_gone() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(500_000);
        assert_eq!(next_epoch(None, false, now), 1);
        assert_eq!(next_epoch(Some(1), true, now), 2);
        assert_eq!(next_epoch(None, true, now), 1_800_000_000);
        assert_eq!(next_epoch(Some(u64::MAX), true, now), u64::MAX);
    }
}
