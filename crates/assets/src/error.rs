//! Why an asset could not be had.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an asset could not be had.
#[derive(Debug, Error)]
pub enum AssetError {
    /// A file could not be used.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The disk is full.
    #[error("no space left in {} while {what}", .path.display())]
    DiskFull {
        /// What was going on, such as `building kubelet`.
        what: String,
        /// The directory.
        path: PathBuf,
    },
    /// A program that a build needs is not installed.
    #[error("`{tool}` is not installed, but {needed_for} needs it")]
    ToolMissing {
        /// The program.
        tool: String,
        /// What needs it.
        needed_for: String,
    },
    /// A program that a build needs is too old.
    #[error("{needed_for} needs {tool} {needed} or newer, but {found} is installed")]
    ToolTooOld {
        /// The program.
        tool: String,
        /// What needs it.
        needed_for: String,
        /// Its version.
        found: String,
        /// The lowest version that does.
        needed: String,
    },
    /// A build failed.
    #[error("{what} failed: `{command}` {status}")]
    BuildFailed {
        /// What was built.
        what: String,
        /// The program that failed, without its arguments.
        command: String,
        /// How it ended, such as `exited with status 1`.
        status: String,
        /// The last lines of its output, at most 20.
        output: Vec<String>,
    },
    /// The sources that one of our own programs is built from cannot be read.
    #[error("{program} is built from kubewright's own sources in {}, which are not there", .workspace.display())]
    SourcesMissing {
        /// The program.
        program: String,
        /// Where the running program was built.
        workspace: PathBuf,
        /// What could not be read.
        #[source]
        source: sources::SourcesError,
    },
    /// They are not those that the running program was built from.
    #[error("the sources of {program} in {} are not those that this kubewright was built from", .workspace.display())]
    SourcesChanged {
        /// The program.
        program: String,
        /// Where the running program was built.
        workspace: PathBuf,
    },
    /// The user stopped it.
    #[error("{0} was stopped")]
    Cancelled(String),
    /// What is in the cache or a mirror is not what its record says.
    #[error("{asset} is damaged: its SHA-256 is {found}, but {expected} is recorded{}", quarantine(.moved_to.as_ref()))]
    Damaged {
        /// The asset.
        asset: String,
        /// The recorded digest.
        expected: String,
        /// The digest of what is there.
        found: String,
        /// Where it was moved, out of the way.
        moved_to: Option<PathBuf>,
    },
    /// What was built or fetched is not what the lock says.
    #[error("{asset} has SHA-256 {found}, but the lock says {locked}{}", quarantine(.moved_to.as_ref()))]
    NotAsLocked {
        /// The asset.
        asset: String,
        /// The locked digest.
        locked: String,
        /// The digest of what was built or fetched.
        found: String,
        /// Where it was moved, out of the way.
        moved_to: Option<PathBuf>,
    },
    /// A source does not answer.
    #[error("{host} does not answer: {why}")]
    Unreachable {
        /// The source's host.
        host: String,
        /// What happened.
        why: String,
    },
    /// A file could not be fetched.
    #[error("cannot download {address}: {why}{}", if *.attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() })]
    TransferFailed {
        /// The file.
        address: String,
        /// What happened last.
        why: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// No source has it.
    #[error("no source has {asset} (asked: {})", .asked.join(", "))]
    NoSource {
        /// The asset.
        asset: String,
        /// The sources that were asked.
        asked: Vec<String>,
    },
    /// It is not in the cache.
    #[error(transparent)]
    Missing(#[from] engine::AssetMissing),
    /// A record cannot be understood.
    #[error("{what} is damaged: {why}")]
    Unreadable {
        /// Which.
        what: String,
        /// What is wrong.
        why: String,
    },
}

fn quarantine(moved_to: Option<&PathBuf>) -> String {
    moved_to.map(|path| format!("; it was moved to {}", path.display())).unwrap_or_default()
}

impl AssetError {
    /// An error of a file operation; a full disk gets its own variant.
    pub fn io(what: impl Into<String>, path: &std::path::Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            Self::DiskFull { what: what.into(), path: path.to_owned() }
        } else {
            Self::Io { what: what.into(), source }
        }
    }

    /// What to do about it, a sentence or a command.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if is_read_only(source) => {
                Some("set XDG_CACHE_HOME to a directory that you may write to".into())
            }
            Self::DiskFull { path, .. } => Some(format!("free some space in {}, then run again", path.display())),
            Self::ToolMissing { tool, .. } => {
                Some(format!("install `{tool}`, or configure a mirror that has the asset"))
            }
            Self::ToolTooOld { tool, needed, .. } => Some(format!("install {tool} {needed} or newer")),
            Self::SourcesMissing { program, .. } => Some(format!(
                "use a released kubewright, which has {program} in it, build one with `cargo xtask dist`, or name a mirror that has it"
            )),
            Self::SourcesChanged { workspace, .. } => {
                Some(format!("build kubewright anew: cd {} && cargo build -p cli", workspace.display()))
            }
            Self::Damaged { .. } => Some("run `kubewright assets pull` to make it again".into()),
            Self::NotAsLocked { .. } => Some("run `kubewright assets lock --update` if the change is wanted".into()),
            Self::Unreachable { .. } => Some(
                "check the network (proxies: HTTPS_PROXY), or name another source in spec.assets.sources, such as go or a mirror"
                    .into(),
            ),
            Self::TransferFailed { .. } => Some("run again: what has come is kept, and the download goes on".into()),
            Self::Missing(_) => Some("run `kubewright assets pull`".into()),
            _ => None,
        }
    }

    /// The last lines of output, where a program failed.
    pub fn output(&self) -> &[String] {
        match self {
            Self::BuildFailed { output, .. } => output,
            _ => &[],
        }
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
