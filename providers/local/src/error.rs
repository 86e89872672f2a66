//! Why something on this host could not be done.

use std::io;
use std::path::PathBuf;

use engine::{ActionError, AssetMissing, UnresolvedReference};
use ipnet::Ipv4Net;
use thiserror::Error;

/// Why something on this host could not be done.
#[derive(Debug, Error)]
pub enum LocalError {
    /// A program is not installed.
    #[error("`{0}` is not installed")]
    ProgramMissing(String),
    /// A program failed.
    #[error("`{command}` {status}")]
    ProgramFailed {
        /// The program with its arguments.
        command: String,
        /// How it ended, such as `ended with status 1`.
        status: String,
        /// The last lines of its standard error, at most 20.
        stderr: Vec<String>,
    },
    /// A file or a kernel interface could not be used.
    #[error("cannot {what}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A document could not be read.
    #[error("cannot understand {what}")]
    Unreadable {
        /// Which document.
        what: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Something with our name is there that we did not make.
    #[error("{object} is there already and is not kubewright's")]
    Foreign {
        /// What, such as `link kw-dev`.
        object: String,
    },
    /// The subnet of a network that is to be made is somebody else's by now.
    #[error("subnet {subnet} overlaps {net} of link {link}")]
    Overlaps {
        /// The subnet.
        subnet: Ipv4Net,
        /// The network that is there.
        net: Ipv4Net,
        /// Whose it is.
        link: String,
    },
    /// An asset is not in the cache.
    #[error(transparent)]
    Asset(#[from] AssetMissing),
    /// A value that another resource makes is not there.
    #[error(transparent)]
    Reference(#[from] UnresolvedReference),
    /// An input that must be a text or a reference to one is something else.
    #[error("input `{0}` is not a text")]
    NotAText(String),
    /// The machine ended while it started.
    #[error("machine {name} ended while it started")]
    Died {
        /// The machine.
        name: String,
        /// The last lines of its console, at most 20.
        console: Vec<String>,
    },
    /// The machine does not let anybody log in.
    #[error("machine {name} did not accept SSH connections within {seconds} s")]
    NotReady {
        /// The machine.
        name: String,
        /// How long it was waited for.
        seconds: u64,
        /// The last lines of its console, at most 20.
        console: Vec<String>,
    },
    /// The machine could not be ended.
    #[error("machine {0} does not end")]
    StillRunning(String),
    /// A file system is mounted where something is to be removed.
    #[error("{} is still mounted", .0.display())]
    Mounted(PathBuf),
    /// Another process does not finish what it does to this host's networks.
    #[error("{holder} has been changing this host's networks for {seconds} s")]
    Busy {
        /// Who, such as `process 123`.
        holder: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A resource's name does not have the form its kind asks for.
    #[error("`{0}` is not the id of a network or a machine")]
    NotOurs(String),
    /// The user stopped it.
    #[error("stopped")]
    Cancelled,
}

impl LocalError {
    /// An error of a file operation.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// What to do about it, a sentence or a command.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ProgramMissing(_) => Some("kubewright preflight".into()),
            Self::Asset(_) => Some("kubewright assets pull".into()),
            Self::Foreign { object } => {
                let name = object.rsplit(' ').next().unwrap_or_default();
                Some(format!("if nothing needs it: `ip link delete {name}`; or choose another cluster name"))
            }
            Self::Overlaps { link, .. } => Some(format!(
                "take link {link} away, or delete this cluster and create it again: it gets another subnet"
            )),
            Self::Busy { .. } => Some("run the command again when it has ended".into()),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("local machines need root: run kubewright with sudo".into())
            }
            _ => None,
        }
    }

    /// The error with what it comes from, as the reason why something is not known.
    pub(crate) fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }

    /// The last lines of output, where a program failed.
    pub fn output(&self) -> &[String] {
        match self {
            Self::ProgramFailed { stderr, .. } => stderr,
            Self::Died { console, .. } | Self::NotReady { console, .. } => console,
            _ => &[],
        }
    }
}

impl From<LocalError> for ActionError {
    fn from(error: LocalError) -> Self {
        let mut action = match &error {
            LocalError::Io { what, source } => Self::from_source(&format!("cannot {what}"), source),
            LocalError::Unreadable { what, source } => Self::from_source(&format!("cannot understand {what}"), source),
            other => Self::permanent(other.to_string()),
        };
        action.hint = error.hint();
        action.output = error.output().to_vec();
        action
    }
}
