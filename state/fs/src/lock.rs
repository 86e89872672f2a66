//! The lock of a cluster: held by the operating system for the process's life, so a killed process blocks nobody.
//!
//! What is locked is the file that stands at the lock's place. Who holds a file that another one took the place of, because
//! somebody broke the lock or deleted the file, holds nothing any more.

use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use engine::{Lease, LockInfo, StoreError};
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::fence;
use crate::paths::{Paths, if_there, unusable, write_durably};

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
    path: PathBuf,
    /// Closing the file releases the lock.
    file: fs::File,
}

impl Lease for FsLease {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<(), StoreError> {
        let stands = stands_at(&self.path, &self.file).map_err(failed(&self.path))?;
        if stands { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    unusable(format!("lock {}", path.display()))
}

/// Whether an open file is the one that stands at a place.
fn stands_at(path: &Path, file: &fs::File) -> std::io::Result<bool> {
    let same =
        |there: std::fs::Metadata, held: std::fs::Metadata| (there.dev(), there.ino()) == (held.dev(), held.ino());
    if_there(fs::metadata(path))?.map_or(Ok(false), |there| Ok(same(there, file.metadata()?)))
}

fn read(file: &mut fs::File) -> std::io::Result<Option<LockFile>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text).ok())
}

/// What whoever holds the lock has written. Whoever took it just now may not have written down yet who it is: then somebody
/// stands there who has ended, or half a document. On a disk that several hosts share nobody can tell, and the last one read
/// is named.
fn read_held(file: &mut fs::File) -> Option<LockFile> {
    let mut held = None;
    for _ in 0..READS {
        if let Ok(Some(last)) = read(file) {
            if lives(last.holder.process) {
                return Some(last);
            }
            held = Some(last);
        }
        std::thread::sleep(PAUSE);
    }
    held
}

/// Whether there is a process of this id on this host.
fn lives(process: u32) -> bool {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| test_kill_process(process) != Err(Errno::SRCH))
}

/// Takes the lock, with an epoch higher than `beyond`, or says who holds it.
pub(crate) fn lock(paths: &Paths, info: LockInfo, beyond: u64) -> Result<FsLease, StoreError> {
    let path = paths.lock();
    let mut file = loop {
        let file = open(&path, true).map_err(failed(&path))?;
        let file = take(&path, file)?.map_err(|held| StoreError::Locked(held.holder))?;
        if stands_at(&path, &file).map_err(failed(&path))? {
            break file;
        }
    };
    // Whoever held a lock file that somebody deleted may be in the middle of a write.
    let _fence = fence::takeover(&paths.cluster)?;
    let last = read(&mut file).map_err(failed(&path))?;
    let epoch = next_epoch(last.map(|last| last.epoch), paths.head().exists(), SystemTime::now());
    let epoch = epoch.max(beyond.max(head_epoch(paths)).saturating_add(1));
    let text = encode(&LockFile { epoch, holder: info }).map_err(failed(&path))?;
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(&text))
        .and_then(|()| file.sync_all())
        .map_err(failed(&path))?;
    Ok(FsLease { epoch, path, file })
}

/// Puts another file in the place of one that somebody holds, and says who that is.
pub(crate) fn break_lock(paths: &Paths) -> Result<Option<LockInfo>, StoreError> {
    let path = &paths.lock();
    let Some(file) = if_there(open(path, false)).map_err(failed(path))? else { return Ok(None) };
    let Err(held) = take(path, file)? else { return Ok(None) };
    let _fence = fence::takeover(&paths.cluster)?;
    encode(&held).and_then(|text| write_durably(path, &text)).map_err(failed(path))?;
    Ok(Some(held.holder))
}

/// Epoch of the lease under which a head was written; 0 for one that names none.
pub(crate) fn epoch_of(head: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Written {
        epoch: u64,
    }
    serde_json::from_slice::<Written>(head).map_or(0, |written| written.epoch)
}

fn head_epoch(paths: &Paths) -> u64 {
    std::fs::read(paths.head()).map_or(0, |head| epoch_of(&head))
}

fn open(path: &Path, create: bool) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path)
}

fn encode(file: &LockFile) -> std::io::Result<Vec<u8>> {
    serde_json::to_vec(file).map_err(std::io::Error::other)
}

/// Locks an open file, or gives back what its holder has written.
fn take(path: &Path, mut file: fs::File) -> Result<Result<fs::File, LockFile>, StoreError> {
    match flock(file.file(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Ok(file)),
        Err(Errno::WOULDBLOCK) => read_held(&mut file).map(Err).ok_or_else(|| failed(path)(Errno::WOULDBLOCK.into())),
        Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => {
            let why = "this file system has no locks, so state cannot be kept on it: use another directory or s3://";
            Err(failed(path)(std::io::Error::new(std::io::ErrorKind::Unsupported, why)))
        }
        Err(error) => Err(failed(path)(error.into())),
    }
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
    use testkit::conformance::lock_info;

    use super::*;

    #[test]
    fn a_lock_file_that_was_deleted_is_a_lost_lease() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::new(directory.path(), "demo");
        std::fs::create_dir_all(&paths.cluster).unwrap();
        let lease = lock(&paths, lock_info("test"), 0).unwrap();
        lease.check().unwrap();
        std::fs::remove_file(paths.lock()).unwrap();
        assert!(matches!(lease.check(), Err(StoreError::LeaseLost)));
        let next = lock(&paths, lock_info("test"), 0).unwrap();
        next.check().unwrap();
        assert!(matches!(lease.check(), Err(StoreError::LeaseLost)));
    }

    #[test]
    fn a_holder_who_has_ended_is_not_named_when_another_is_about_to_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let text =
            |process: u32| encode(&LockFile { epoch: 1, holder: LockInfo { process, ..lock_info("test") } }).unwrap();
        // No process has the highest id there is.
        std::fs::write(&path, text(u32::MAX >> 1)).unwrap();
        let writer = std::thread::spawn({
            let (path, text) = (path.clone(), text(std::process::id()));
            move || {
                std::thread::sleep(3 * PAUSE);
                std::fs::write(path, text).unwrap();
            }
        });
        let held = read_held(&mut open(&path, false).unwrap()).unwrap();
        assert_eq!(held.holder.process, std::process::id());
        writer.join().unwrap();
    }

    #[test]
    fn an_epoch_is_higher_than_the_heads_also_when_the_lock_file_is_older() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::new(directory.path(), "demo");
        std::fs::create_dir_all(&paths.cluster).unwrap();
        drop(lock(&paths, lock_info("test"), 0).unwrap());
        std::fs::write(paths.head(), r#"{"format": 1, "serial": 3, "epoch": 41}"#).unwrap();
        assert_eq!(lock(&paths, lock_info("test"), 0).unwrap().epoch, 42);
        assert_eq!(epoch_of(br#"{"format": 1, "serial": 3}"#), 0);
    }

    #[test]
    fn epochs_rise_even_when_the_lock_file_is_gone() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(500_000);
        assert_eq!(next_epoch(None, false, now), 1);
        assert_eq!(next_epoch(Some(1), true, now), 2);
        assert_eq!(next_epoch(None, true, now), 1_800_000_000);
        assert_eq!(next_epoch(Some(u64::MAX), true, now), u64::MAX);
    }
}
