//! The durable log of a run: records, and the writer that makes many of them durable with one sync.

use std::sync::Arc;

use plan::ActionId;
use resource::{Digest, Recorded, ResourceId};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::{JournalWriter, StoreError};

/// One line of a journal. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "camelCase")]
pub enum Record {
    /// The run began.
    #[serde(rename_all = "camelCase")]
    RunStarted {
        /// Version of the journal's format.
        format: u32,
        /// The run.
        run: String,
        /// Digest of the plan.
        plan: Digest,
        /// Epoch of the lease it runs under.
        epoch: u64,
        /// `user@host`.
        who: String,
        /// What was typed.
        #[serde(default)]
        command: String,
        /// Digest of the revision that the plan is for.
        #[serde(default)]
        revision: Option<Digest>,
        /// Version of the kubewright that carries it out.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        kubewright: String,
        /// When, RFC 3339.
        time: String,
    },
    /// An action is about to take effect.
    #[serde(rename_all = "camelCase")]
    ActionStarted {
        /// Which.
        action: ActionId,
        /// On what.
        resource: ResourceId,
        /// What is to be remembered if nothing more is heard of it; none for what leaves no resource behind.
        provisional: Option<Box<Recorded>>,
    },
    /// An action took effect.
    #[serde(rename_all = "camelCase")]
    ActionSucceeded {
        /// Which.
        action: ActionId,
        /// On what.
        resource: ResourceId,
        /// What the state remembers of it.
        effect: StateEffect,
        /// How long it took, milliseconds.
        millis: u64,
    },
    /// An action failed for good; it may have taken effect in part.
    #[serde(rename_all = "camelCase")]
    ActionFailed {
        /// Which.
        action: ActionId,
        /// On what.
        resource: ResourceId,
        /// Why.
        why: String,
    },
    /// The run ended by itself.
    #[serde(rename_all = "camelCase")]
    RunFinished {
        /// How many actions succeeded.
        succeeded: usize,
        /// How many failed.
        failed: usize,
        /// How many were not run.
        skipped: usize,
        /// When, RFC 3339.
        time: String,
    },
}

/// What an action does to the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", content = "resource", rename_all = "camelCase")]
pub enum StateEffect {
    /// The resource is recorded so.
    Put(Box<Recorded>),
    /// The resource is recorded no more.
    Remove,
    /// Nothing is recorded.
    None,
}

/// Version written into journals.
pub const FORMAT: u32 = 1;

/// A journal that many actions write to at once; one sync serves all that wait.
#[derive(Clone)]
pub struct Journal {
    queue: mpsc::Sender<(String, oneshot::Sender<Result<(), StoreError>>)>,
}

impl Journal {
    /// Starts the writing task.
    pub fn start(writer: Arc<dyn JournalWriter>) -> Self {
        let (queue, mut waiting) = mpsc::channel::<(String, oneshot::Sender<Result<(), StoreError>>)>(256);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, 256).await > 0 {
                let (records, answers): (Vec<String>, Vec<_>) = batch.drain(..).unzip();
                let written = writer.append(&records).await;
                for answer in answers {
                    // Whoever no longer waits was cancelled.
                    let _ = answer.send(match &written {
                        Ok(()) => Ok(()),
                        Err(StoreError::LeaseLost) => Err(StoreError::LeaseLost),
                        Err(error) => Err(unusable(std::io::Error::other(in_full(error)))),
                    });
                }
            }
        });
        Self { queue }
    }

    /// Appends a record and returns when it is durable.
    pub async fn append(&self, record: &Record) -> Result<(), StoreError> {
        let text = serde_json::to_string(record).map_err(|error| unusable(std::io::Error::other(error)))?;
        let (answer, answered) = oneshot::channel();
        let closed = || unusable(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        self.queue.send((text, answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

/// An error with all its causes, for everybody who waited for the same write.
fn in_full(error: &StoreError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn unusable(source: std::io::Error) -> StoreError {
    StoreError::Unusable { what: "write the journal".to_owned(), source }
}

/// Reads a journal's lines back. One that a newer kubewright wrote is refused, not mangled.
pub fn parse(run: &str, lines: &[String]) -> Result<Vec<Record>, StoreError> {
    let damaged = |index: usize, why: String| {
        let what = format!("journal of run {run}, record {}", index + 1);
        StoreError::Damaged { what, why }
    };
    if let Some(found) = lines.first().and_then(|line| format_of(line)).filter(|format| *format > u64::from(FORMAT)) {
        return Err(StoreError::Newer { what: format!("journal of run {run}"), found, known: FORMAT });
    }
    let record =
        |(index, line): (usize, &String)| serde_json::from_str(line).map_err(|error| damaged(index, error.to_string()));
    lines.iter().enumerate().map(record).collect()
}

fn format_of(line: &str) -> Option<u64> {
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    record.get("format")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_a_newer_kubewright_is_refused_as_such() {
        let line = r#"{"record": "runBegan", "format": 2, "run": "x"}"#.to_owned();
        let error = parse("x", &[line]).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    }
}
