//! What can go wrong between the operator's side and an agent, and what it means for the runner.

use engine::{ActionError, HostError};
use thiserror::Error;

/// Why the agent did not do as asked.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The machine could not be used.
    #[error(transparent)]
    Host(#[from] HostError),
    /// There is no agent on the machine, and none was to be put there.
    #[error("there is no agent on {machine}")]
    NotThere {
        /// The machine.
        machine: String,
    },
    /// There is no agent on this side that could be put on the machine.
    #[error("no agent was built that could work on {machine}")]
    NotBuilt {
        /// The machine.
        machine: String,
    },
    /// The agent does not run there.
    #[error("the agent does not run on {machine}")]
    CannotRun {
        /// The machine.
        machine: String,
        /// The last lines of standard error.
        stderr: Vec<String>,
    },
    /// The agent speaks another protocol.
    #[error("the agent on {machine} speaks protocol {theirs}, not {ours}")]
    Protocol {
        /// The machine.
        machine: String,
        /// The agent's version of the protocol.
        theirs: u32,
        /// This side's.
        ours: u32,
    },
    /// The connection was lost before the agent's answer was there.
    #[error("the connection to {machine} was lost while its agent worked")]
    Lost {
        /// The machine.
        machine: String,
    },
    /// The agent ended without an answer.
    #[error("the agent on {machine} ended with status {status} and without an answer")]
    Ended {
        /// The machine.
        machine: String,
        /// Exit status.
        status: i32,
        /// The last lines of standard error.
        stderr: Vec<String>,
    },
    /// The agent gave an answer that does not fit the question.
    #[error("the agent on {machine} gave an answer to another question")]
    Unexpected {
        /// The machine.
        machine: String,
    },
    /// The agent tried and failed.
    #[error("{item} on {machine}: {why}")]
    Failed {
        /// The machine.
        machine: String,
        /// The item or gate.
        item: String,
        /// Why.
        why: String,
        /// What to do about it.
        hint: Option<String>,
        /// The last lines of a program's output or journal.
        output: Vec<String>,
    },
}

impl From<AgentError> for ActionError {
    fn from(error: AgentError) -> Self {
        let message = error.to_string();
        match error {
            AgentError::Host(error) => from_host(error),
            AgentError::Lost { .. } => Self::unavailable(message),
            AgentError::CannotRun { stderr, .. } => Self { output: stderr, ..Self::permanent(message) }
                .hint("is the machine of the architecture that the agent was built for?"),
            AgentError::Ended { stderr, .. } => Self { output: stderr, ..Self::permanent(message) },
            AgentError::Failed { hint, output, .. } => Self { hint, output, ..Self::permanent(message) },
            AgentError::NotBuilt { .. } => Self::permanent(message).hint("get it with: kubewright assets pull"),
            AgentError::NotThere { .. } | AgentError::Protocol { .. } | AgentError::Unexpected { .. } => {
                Self::permanent(message)
            }
        }
    }
}

fn from_host(error: HostError) -> ActionError {
    let message = error.to_string();
    match error {
        HostError::Unreachable { .. } => ActionError::unavailable(message),
        HostError::HostKey { .. } => ActionError::permanent(message)
            .hint("if the machine was installed again, give its new host key; else somebody answers in its place"),
        HostError::Login { .. } => {
            ActionError::permanent(message).hint("does the machine know the operator's public key?")
        }
        HostError::Failed { stderr, .. } => ActionError { output: stderr, ..ActionError::permanent(message) },
        HostError::Unusable { name, what, source } => {
            ActionError::from_source(&format!("cannot use {what} for {name}"), source.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::ErrorClass;

    use super::*;

    #[test]
    fn only_what_is_out_of_reach_is_tried_again() {
        let unreachable = HostError::Unreachable { name: "w".into(), why: "no answer".into() };
        assert_eq!(ActionError::from(AgentError::Host(unreachable)).class, ErrorClass::Unavailable);
        assert_eq!(ActionError::from(AgentError::Lost { machine: "w".into() }).class, ErrorClass::Unavailable);
        let login = HostError::Login { name: "w".into(), user: "root".into() };
        assert_eq!(ActionError::from(AgentError::Host(login)).class, ErrorClass::Permanent);
    }

    #[test]
    fn what_the_agent_said_reaches_the_user() {
        let error = ActionError::from(AgentError::Failed {
            machine: "w".into(),
            item: "unit/kubelet.service".into(),
            why: "it did not start".into(),
            hint: Some("journalctl -u kubelet".into()),
            output: vec!["bad flag".into()],
        });
        assert_eq!(error.message, "unit/kubelet.service on w: it did not start");
        assert_eq!((error.hint.as_deref(), error.output.len()), (Some("journalctl -u kubelet"), 1));
    }
}
