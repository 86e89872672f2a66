//! The fence around every write: while one goes on nobody takes the cluster's lock away, and none begins after that.
//!
//! Writers hold the fence shared (the head's swap alone), whoever breaks or takes the lock holds it alone. It is another file
//! than the lock: the lock is held for as long as a command lives, the fence for as long as a write takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::StoreError;
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::lock::FsLease;
use crate::paths::{Paths, make_private_directory, unusable};

/// How long a lock is not taken away from a process that is in the middle of a write, and how often that is tried.
const TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// A held fence, until dropped.
pub(crate) struct Fence {
    /// Closing the file opens the fence.
    _file: fs::File,
}

/// For a write under `lease`, beside others.
pub(crate) fn shared(paths: &Paths, lease: Option<&FsLease>) -> Result<Fence, StoreError> {
    write(paths, lease, FlockOperation::LockShared)
}

/// For a write under `lease` that no other may come between.
pub(crate) fn alone(paths: &Paths, lease: Option<&FsLease>) -> Result<Fence, StoreError> {
    write(paths, lease, FlockOperation::LockExclusive)
}

fn write(paths: &Paths, lease: Option<&FsLease>, how: FlockOperation) -> Result<Fence, StoreError> {
    // A lost lease is no reason to make anything, such as the directory of a cluster that is gone.
    check(lease)?;
    let file = open(&paths.cluster)?;
    flock(file.file(), how).map_err(|error| failed(&paths.cluster)(error.into()))?;
    check(lease)?;
    Ok(Fence { _file: file })
}

fn check(lease: Option<&FsLease>) -> Result<(), StoreError> {
    lease.map_or(Ok(()), engine::Lease::check)
}

/// For whoever takes the lock away: nobody is in the middle of a write. A process that does not get on with one keeps it.
pub(crate) fn takeover(cluster: &Path) -> Result<Fence, StoreError> {
    let file = open(cluster)?;
    let began = Instant::now();
    loop {
        match flock(file.file(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Fence { _file: file }),
            Err(Errno::WOULDBLOCK) if began.elapsed() < TIMEOUT => std::thread::sleep(PAUSE),
            Err(Errno::WOULDBLOCK) => {
                let stuck = "its holder is in the middle of a write and does not get on: end that process first";
                return Err(failed(cluster)(std::io::Error::new(std::io::ErrorKind::WouldBlock, stuck)));
            }
            Err(error) => return Err(failed(cluster)(error.into())),
        }
    }
}

fn open(cluster: &Path) -> Result<fs::File, StoreError> {
    let path = cluster.join("swap");
    let opened = make_private_directory(cluster)
        .and_then(|()| fs::OpenOptions::new().write(true).create(true).truncate(false).open(path));
    opened.map_err(failed(cluster))
}

fn failed(cluster: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    unusable(format!("write to {}", cluster.display()))
}

/// The lease that something was begun under, looked at again with every write.
#[derive(Clone)]
pub(crate) enum Under {
    /// None was held.
    Nothing,
    /// This one; it may be gone by now.
    Lease(std::sync::Weak<FsLease>),
}

impl Under {
    pub(crate) fn of(lease: Option<&Arc<FsLease>>) -> Self {
        lease.map_or(Self::Nothing, |lease| Self::Lease(Arc::downgrade(lease)))
    }

    /// The lease, if there was one; an error when it is over.
    pub(crate) fn lease(&self) -> Result<Option<Arc<FsLease>>, StoreError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Lease(lease) => lease.upgrade().map(Some).ok_or(StoreError::LeaseLost),
        }
    }
}
