//! Exit codes: part of the interface, listed in docs/exit-codes.md.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Fine.
    Fine = 0,
    /// It failed, and nothing was begun or everything was undone.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Changes are pending (with `--detailed-exitcode`).
    Pending = 3,
    /// The documents are not valid.
    InvalidSpec = 10,
    /// A rule refuses the plan.
    Refused = 11,
    /// What the plan was made from has moved.
    Stale = 12,
    /// Somebody else works on the cluster.
    Locked = 13,
    /// Some of the plan is done; running again does the rest.
    Partial = 20,
    /// Machines could not be reached.
    Unreachable = 21,
    /// A bug of kubewright.
    Bug = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
