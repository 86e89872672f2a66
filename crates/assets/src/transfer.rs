//! Gets a remote file onto the disk: resumes where a transfer stopped, tries again where that can help, says how far
//! it is.

mod backoff;
pub(crate) mod download;
pub(crate) mod http;
mod progress;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use fs_err as fs;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::io::AsyncWriteExt as _;
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

pub(crate) use backoff::{Backoff, GaveUp};
pub(crate) use download::{Download, Downloads};
pub(crate) use progress::host;

use self::progress::Progress;
use crate::{AssetError, Task};

/// Why a remote file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TransferError {
    /// There is no such file.
    Missing,
    /// Nobody answers: no name, no route, no TLS.
    Unreachable(String),
    /// It may get better, not before `after` when the server said so.
    Temporary {
        /// What happened.
        why: String,
        /// How long the server wants to be left alone.
        after: Option<Duration>,
    },
    /// What was got before does not fit what is there now.
    Changed,
    /// It will not get better by itself.
    Refused(String),
}

/// A file that can be read from any byte on.
#[async_trait]
pub(crate) trait Remote: Send + Sync {
    /// Its address, for messages.
    fn address(&self) -> String;

    /// Opens it at byte `from`. Servers that cannot do that start at 0.
    async fn open(&self, from: u64) -> Result<Opened, TransferError>;
}

/// An open remote file.
pub(crate) struct Opened {
    /// The first byte that comes.
    pub(crate) from: u64,
    /// All of the file, when the server says it.
    pub(crate) size: Option<u64>,
    pub(crate) content: BoxStream<'static, Result<Bytes, TransferError>>,
}

impl std::fmt::Display for TransferError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::Unreachable(why) | Self::Refused(why) | Self::Temporary { why, .. } => f.write_str(why),
            Self::Changed => f.write_str("it changed while it was fetched"),
        }
    }
}

/// Why one attempt ended.
enum Failure {
    Remote(TransferError),
    Disk(AssetError),
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        Self::Remote(error)
    }
}

/// Gets `remote` into the file `part`, going on behind what is there. Its content is not checked here.
pub(crate) async fn transfer(
    remote: &dyn Remote,
    part: &Path,
    backoff: &Backoff,
    task: &Task,
    cancel: &CancellationToken,
) -> Result<(), AssetError> {
    let stopped = || AssetError::Cancelled(format!("downloading {}", remote.address()));
    let mut failures = 0;
    loop {
        let before = length(part);
        let attempted = tokio::select! {
            () = cancel.cancelled() => return Err(stopped()),
            attempted = attempt(remote, part, before, task) => attempted,
        };
        let error = match attempted {
            Ok(()) => return Ok(()),
            Err(Failure::Disk(error)) => return Err(error),
            Err(Failure::Remote(error)) => error,
        };
        // A transfer that moves on may be cut off any number of times.
        failures = if length(part) > before { 1 } else { failures + 1 };
        let failed = |why: String| AssetError::TransferFailed { address: remote.address(), why, attempts: failures };
        let pause = backoff.pause(failures, &error).ok_or_else(|| failed(error.to_string()))?;
        if error == TransferError::Changed {
            let _ = fs::remove_file(part);
        }
        task.note(format!("{error}; trying again in {} s", pause.as_secs_f32().ceil()));
        tokio::select! {
            () = cancel.cancelled() => return Err(stopped()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn attempt(remote: &dyn Remote, part: &Path, from: u64, task: &Task) -> Result<(), Failure> {
    let mut opened = remote.open(from).await?;
    if opened.from != from && opened.from != 0 {
        return Err(TransferError::Changed.into());
    }
    let failed = |e| Failure::Disk(AssetError::io(format!("write {}", part.display()), part, e));
    let mut file = tokio::fs::OpenOptions::new();
    let file = file.create(true).write(true).truncate(opened.from == 0).append(opened.from > 0);
    let mut file = file.open(part).await.map_err(failed)?;
    let mut progress = Progress::new(task, &remote.address(), opened.from, opened.size);
    let outcome = loop {
        match opened.content.next().await {
            Some(Ok(bytes)) => {
                file.write_all(&bytes).await.map_err(failed)?;
                progress.advance(bytes.len() as u64);
            }
            Some(Err(error)) => break Err(error),
            None => break progress.check_end(),
        }
    };
    // What has come is kept, whatever happened: the next attempt goes on behind it.
    file.flush().await.map_err(failed)?;
    outcome.map_err(Failure::Remote)
}

/// Bytes that are there already.
fn length(part: &Path) -> u64 {
    fs::metadata(part).map_or(0, |metadata| metadata.len())
}
