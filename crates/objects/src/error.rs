//! Why the API of a cluster did not do as asked.

use std::time::Duration;

use engine::{ActionError, ErrorClass};
use thiserror::Error;

/// Why the API of a cluster did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiError {
    /// The text that says how to reach the cluster cannot be used.
    #[error("the cluster's access cannot be used: {0}")]
    Access(&'static str),
    /// No server answers.
    #[error("no API server is ready ({})", .0.join("; "))]
    Unreachable(Vec<String>),
    /// A request got no answer.
    #[error("{server} does not answer: {why}")]
    Transport {
        /// The server's address.
        server: String,
        /// Why.
        why: String,
    },
    /// Another cluster than the recorded one answers at these addresses.
    #[error("another cluster answers: kube-system's UID is {found}, but {recorded} is recorded")]
    OtherCluster {
        /// The recorded UID of kube-system.
        recorded: String,
        /// The one found.
        found: String,
    },
    /// The server refused.
    #[error("{message} (HTTP status {code})")]
    Refused {
        /// HTTP status.
        code: u16,
        /// The server's machine-readable reason.
        reason: String,
        /// The server's words.
        message: String,
        /// Messages of the causes it names.
        causes: Vec<String>,
    },
    /// The server does not know the kind.
    #[error("the API server does not know {kind} in {api_version}")]
    UnknownKind {
        /// Group and version.
        api_version: String,
        /// Kind.
        kind: String,
    },
    /// The server's answer cannot be understood.
    #[error("the API server's answer cannot be understood: {0}")]
    Answer(String),
}

impl ApiError {
    /// What kube-rs says, without its wrappings.
    pub(crate) fn from_kube(server: &str, error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            return Self::Refused {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
                causes: causes.map(|cause| cause.message.clone()).collect(),
            };
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self::Transport { server: server.to_owned(), why: innermost.to_string() }
    }

    /// The HTTP status, where the server answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the server positively answered that the thing is not there.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether the server is well and could not reach a node for its client (`k8s.io/apimachinery/pkg/util/proxy`).
    pub fn is_a_nodes(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains("error trying to reach service"))
    }

    /// What it means for the runner.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Transport { why, .. } if why.contains("invalid peer certificate") => ErrorClass::Permanent,
            // Server-side apply answers so to a field that the kind does not have: no second try helps.
            Self::Refused { code: 500, message, .. } if message.contains("field not declared in schema") => {
                ErrorClass::Permanent
            }
            Self::Unreachable(_) | Self::Transport { .. } | Self::Refused { code: 500..=599, .. } => {
                ErrorClass::Unavailable
            }
            Self::Refused { code: 409, reason, .. } if reason == "Conflict" => ErrorClass::Unavailable,
            Self::UnknownKind { .. } => ErrorClass::NotYetVisible { within: Duration::from_mins(1) },
            Self::Refused { code: 429, .. } => ErrorClass::Throttled,
            // A namespace of the same name is on its way out, or admission's caches are not filled yet.
            Self::Refused { code: 403, message, .. }
                if message.contains("being terminated") || message.contains("not yet ready to handle request") =>
            {
                ErrorClass::NotYetVisible { within: Duration::from_mins(1) }
            }
            Self::Refused { code: 422, message, .. } => address_settles_within(message)
                .map_or(ErrorClass::Permanent, |within| ErrorClass::NotYetVisible { within }),
            // A namespace or definition of the same run that has not reached this server yet.
            Self::Refused { code: 404, .. } => ErrorClass::NotYetVisible { within: Duration::from_secs(20) },
            _ => ErrorClass::Permanent,
        }
    }

    /// The action's error, with what was tried before it.
    pub fn while_doing(&self, what: &str) -> ActionError {
        let error = ActionError { class: self.class(), ..ActionError::permanent(format!("{what}: {self}")) };
        match self {
            Self::OtherCluster { .. } => error.hint(
                "The addresses of this cluster now belong to another one; nothing was changed there. \
                 Check the machines' addresses, or forget this cluster's record.",
            ),
            _ => error,
        }
    }
}

/// How long a Service's address that is refused in these words may yet become free; never for other words.
fn address_settles_within(message: &str) -> Option<Duration> {
    if message.contains("provided IP is already allocated") {
        // A request that was cut off took it; the server gives it back, at the latest when it looks through all of them
        // (every 3 minutes).
        return Some(Duration::from_mins(4));
    }
    // A server that has just started says that it is ready before it knows its ranges of addresses (`MetaAllocator` in
    // `pkg/registry/core/service/ipallocator`).
    let young = ["does not match the current range", "allocator not ready"];
    young.iter().any(|words| message.contains(words)).then_some(Duration::from_mins(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_a_cut_off_request_took_or_a_young_server_does_not_know_yet_is_waited_for() {
        let refused = |message: &str| ApiError::Refused {
            code: 422,
            reason: "Invalid".to_owned(),
            message: message.to_owned(),
            causes: Vec::new(),
        };
        let taken = refused("failed to allocate IP 10.96.0.10: provided IP is already allocated");
        let unknown =
            refused("failed to allocate IP 10.96.0.10: the provided network does not match the current range");
        let young = refused("failed to allocate IP 10.96.0.10: allocator not ready");
        for error in [taken, unknown, young] {
            assert!(matches!(error.class(), ErrorClass::NotYetVisible { .. }), "{error}");
        }
        assert_eq!(refused("spec.ports: Required value").class(), ErrorClass::Permanent);
    }

    #[test]
    fn a_field_that_a_kind_does_not_have_is_not_tried_again_though_the_server_calls_it_its_own_error() {
        let refused = |message: &str| ApiError::Refused {
            code: 500,
            reason: "InternalError".to_owned(),
            message: message.to_owned(),
            causes: Vec::new(),
        };
        let unknown = "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .bogus: field not declared in schema";
        assert_eq!(refused(unknown).class(), ErrorClass::Permanent);
        assert_eq!(refused("etcdserver: leader changed").class(), ErrorClass::Unavailable);
    }
}
