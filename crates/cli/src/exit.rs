//! Exit codes: part of the interface, listed in docs/exit-codes.md.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Fine.
    Fine,
    /// It failed; nothing was begun, or nothing is left half done.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// Changes are pending (with `--detailed-exitcode`).
    Pending,
    /// The documents are not valid.
    InvalidSpec,
    /// A rule refuses the plan.
    Refused,
    /// What the plan was made from has moved.
    Stale,
    /// Somebody else works on the cluster.
    Locked,
    /// Some of the plan is done; running again does the rest.
    Partial,
    /// Machines could not be reached.
    Unreachable,
    /// A bug of kubewright.
    Bug,
    /// With the exit code of a program that it ran for the user.
    Program(u8),
}

impl Exit {
    /// Stopped by Ctrl-C while nothing was carried out, as shells tell it.
    pub(crate) const INTERRUPTED: Self = Self::Program(130);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Pending => 3,
            Exit::InvalidSpec => 10,
            Exit::Refused => 11,
            Exit::Stale => 12,
            Exit::Locked => 13,
            Exit::Partial => 20,
            Exit::Unreachable => 21,
            Exit::Bug => 70,
            Exit::Program(code) => code,
        })
    }
}
