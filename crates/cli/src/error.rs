//! What the user is told when a command fails: what, on which object, why, and what to do next.

use std::error::Error as StdError;

use engine::{ActionError, StoreError};
use plan::PlanError;
use provider::{DiscoverError, ErrorKind, ProviderError};

use crate::exit::Exit;
use crate::suggestion::quoted;

/// A failed command.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What failed, why, with every cause.
    pub(crate) message: String,
    /// What to do next, a sentence or a command.
    pub(crate) hints: Vec<String>,
    /// The last lines of a program's output.
    pub(crate) output: Vec<String>,
}

/// The outcome of a command.
pub(crate) type Outcome = Result<Exit, CommandError>;

impl CommandError {
    /// A failure that is nobody's bug.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), hints: Vec::new(), output: Vec::new() }
    }

    /// A failure of something below, with every cause.
    pub(crate) fn from_source(what: &str, error: &dyn StdError) -> Self {
        let mut message = if what.is_empty() { error.to_string() } else { format!("{what}: {error}") };
        let mut source = error.source();
        while let Some(inner) = source {
            let text = inner.to_string();
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = inner.source();
        }
        Self::failed(message)
    }

    /// The same, ending with another code.
    #[must_use]
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same, with advice.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What a user named is not among those that there are: the nearest of them is meant, or `otherwise` tells how to see all.
pub(crate) fn not_among<'a>(
    message: impl Into<String>,
    named: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: impl Into<String>,
) -> CommandError {
    let known: Vec<&str> = known.into_iter().collect();
    let meant = known.iter().copied().find(|known| is_short_for(named, known)).or_else(|| spec::nearest(named, known));
    let hint = meant.map_or_else(|| otherwise.into(), |meant| format!("did you mean {meant}?"));
    CommandError::failed(message).exit(Exit::Usage).hint(hint)
}

/// Whether `KIND/NAME`, as lists of objects print it, means a resource whose id names what it is in, too.
fn is_short_for(named: &str, id: &str) -> bool {
    let parts = named.split_once('/').zip(id.split_once('/'));
    parts.is_some_and(|((kind, name), (its_kind, its_name))| {
        kind == its_kind && !name.contains('/') && its_name.rsplit_once('/').is_some_and(|(_, last)| last == name)
    })
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let failed = Self::from_source("", &error);
        match error {
            StoreError::Locked(holder) => failed
                .exit(Exit::Locked)
                .hint(format!("wait for process {} on {} to end, or stop it there", holder.process, holder.who)),
            StoreError::Conflict => {
                failed.exit(Exit::Stale).hint("somebody else changed the cluster; run the same command again")
            }
            StoreError::LeaseLost => failed
                .exit(Exit::Locked)
                .hint("somebody took it with `state unlock --force`, or this host slept for longer than it holds")
                .hint("nothing more was changed; what the other one does is a run of the cluster: see kubewright get clusters")
                .hint("then run the same command again"),
            StoreError::BeingRemoved { cluster } => {
                failed.hint(format!("to end it: kubewright delete cluster {cluster} --yes"))
            }
            StoreError::Leftovers { .. } => failed
                .hint("if its head was lost, restore that from a backup: what is left may be all that opens a running cluster")
                .hint("if that cluster is gone, remove by hand what is left of it, or take another name"),
            StoreError::Damaged { .. } => failed.hint("nothing was changed; restore the state from a backup"),
            StoreError::Newer { .. } => {
                failed.hint("nothing was changed; use the kubewright that wrote it, or a newer one")
            }
            StoreError::Moved { to } => failed.hint(format!("run the same command with: --state {}", quoted(&to))),
            StoreError::Unusable { .. } => failed,
        }
    }
}

impl From<ProviderError> for CommandError {
    fn from(error: ProviderError) -> Self {
        let exit = match error.kind {
            ErrorKind::InvalidSpec => Exit::InvalidSpec,
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::Failed => Exit::Failed,
            ErrorKind::Bug => Exit::Bug,
        };
        Self { exit, message: error.message, hints: error.hints, output: error.output }
    }
}

impl From<DiscoverError> for CommandError {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::Provider(error) => error.into(),
            DiscoverError::Store(error) => error.into(),
        }
    }
}

impl From<PlanError> for CommandError {
    fn from(error: PlanError) -> Self {
        Self::from_source("cannot plan", &error).exit(Exit::Bug)
    }
}

impl From<ActionError> for CommandError {
    fn from(error: ActionError) -> Self {
        Self {
            exit: Exit::Failed,
            message: error.message,
            hints: error.hint.into_iter().collect(),
            output: error.output,
        }
    }
}
