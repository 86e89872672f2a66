//! What was: runs as far as their journals are kept, and revisions by the beginning of their digest.

use std::collections::BTreeSet;

use resource::Digest;
use thiserror::Error;

use super::{CHECKPOINTS, ClusterStore, REVISIONS, Revision, key};
use crate::journal;
use crate::state::Head;
use crate::{Lease, RunHistory, StoreError};

/// How many runs have their journal kept.
const KEPT_RUNS: usize = 100;

/// Why a revision cannot be had.
#[derive(Debug, Error)]
pub enum RevisionError {
    /// There is none.
    #[error("there is no revision {0}")]
    NotFound(String),
    /// Several begin so.
    #[error("{1} revisions begin with {0}")]
    Ambiguous(String, usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClusterStore {
    /// What was done to the cluster as far as journals are kept, the oldest run first.
    pub async fn runs(&self) -> Result<Vec<RunHistory>, StoreError> {
        let mut runs = Vec::new();
        for run in self.store.journals(&self.cluster).await? {
            let records = journal::parse(&run, &self.store.read_journal(&self.cluster, &run).await?)?;
            runs.extend(RunHistory::of(&run, &records));
        }
        // Names of runs tell the time in whole seconds; each lease has a higher epoch than those before it.
        runs.sort_by_key(|run| run.epoch);
        Ok(runs)
    }

    /// A revision by its digest or the beginning of it, with the whole digest.
    ///
    /// # Errors
    /// [`RevisionError`] when there is none, or when several begin so.
    pub async fn revision(&self, prefix: &str) -> Result<(Digest, Revision), RevisionError> {
        let mut fitting = self.revision_digests().await?;
        fitting.retain(|digest| digest.as_str().starts_with(prefix));
        match fitting.as_slice() {
            [] => Err(RevisionError::NotFound(prefix.to_owned())),
            [digest] => Ok((digest.clone(), self.read(REVISIONS, digest, Revision::FORMAT).await?)),
            several => Err(RevisionError::Ambiguous(prefix.to_owned(), several.len())),
        }
    }

    /// Every revision with its digest, the oldest first.
    pub async fn revisions(&self) -> Result<Vec<(Digest, Revision)>, StoreError> {
        let mut revisions: Vec<(Digest, Revision)> = Vec::new();
        for digest in self.revision_digests().await? {
            let revision = self.read(REVISIONS, &digest, Revision::FORMAT).await?;
            revisions.push((digest, revision));
        }
        revisions.sort_by(|(_, one), (_, other)| one.time.cmp(&other.time));
        Ok(revisions)
    }

    /// An object is named by its content; what is named otherwise is none of ours.
    async fn revision_digests(&self) -> Result<Vec<Digest>, StoreError> {
        let keys = self.store.list(&self.cluster, REVISIONS).await?;
        let digest = |key: &String| Digest::parse(key.strip_prefix(REVISIONS)?.strip_suffix(".json")?);
        Ok(keys.iter().filter_map(digest).collect())
    }

    /// Forgets journals of old runs, and checkpoints that `heads` do not refer to: the present one, and the one before it,
    /// which somebody may be reading just now.
    pub(super) async fn tidy(&self, lease: &dyn Lease, heads: &[&Head]) -> Result<(), StoreError> {
        let journals = self.store.journals(&self.cluster).await?;
        for run in journals.iter().take(journals.len().saturating_sub(KEPT_RUNS)) {
            lease.check()?;
            self.store.delete_journal(&self.cluster, run).await?;
        }
        let kept: BTreeSet<String> =
            heads.iter().filter_map(|head| head.checkpoint.as_ref()).map(|digest| key(CHECKPOINTS, digest)).collect();
        for key in self.store.list(&self.cluster, CHECKPOINTS).await? {
            if !kept.contains(&key) {
                lease.check()?;
                self.store.delete(&self.cluster, &key).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cluster, lease};
    use super::*;

    #[tokio::test]
    async fn old_journals_and_checkpoints_are_forgotten_and_runs_are_told() {
        let cluster = cluster().await;
        let lease = lease(&cluster).await;
        for run in 0..KEPT_RUNS + 5 {
            let loaded = cluster.load().await.unwrap().unwrap();
            let (journal, ..) = cluster.begin_run(&*lease, &loaded, &format!("{run:03}"), None).await.unwrap();
            let started = journal::Record::RunStarted {
                format: journal::FORMAT,
                run: format!("{run:03}"),
                plan: Digest::of_bytes(b""),
                epoch: 1,
                who: String::new(),
                command: String::new(),
                revision: None,
                kubewright: String::new(),
                time: String::new(),
            };
            journal.append(&started).await.unwrap();
            cluster.end_run(&*lease, &format!("{run:03}")).await.unwrap();
        }
        let runs = cluster.runs().await.unwrap();
        assert_eq!((runs.len(), runs[0].run.as_str()), (KEPT_RUNS, "005"));
        let checkpoints = cluster.store.list("demo", CHECKPOINTS).await.unwrap();
        assert!(checkpoints.len() <= 2, "{checkpoints:?}");
    }

    #[tokio::test]
    async fn a_revision_is_found_by_the_beginning_of_its_digest() {
        let cluster = cluster().await;
        let digest = cluster.load().await.unwrap().unwrap().head.revision;
        assert_eq!(cluster.revision(digest.short()).await.unwrap().0, digest);
        assert!(matches!(cluster.revision("nothing").await, Err(RevisionError::NotFound(_))));
        let other = Revision { reason: "other".into(), ..cluster.revision("").await.unwrap().1 };
        cluster.put_revision(&*lease(&cluster).await, &other).await.unwrap();
        assert!(matches!(cluster.revision("").await, Err(RevisionError::Ambiguous(_, 2))));
    }
}
