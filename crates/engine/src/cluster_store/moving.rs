//! Moving a cluster to another store. At no moment do both stores let it be changed.

use serde::Serialize;
use thiserror::Error;

use super::{ClusterStore, Loaded};
use crate::state::Head;
use crate::{Lease, LockInfo, StoreError};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MovedCluster {
    /// How many objects.
    pub objects: usize,
    /// How many journals.
    pub journals: usize,
}

/// Why a cluster stays where it is.
#[derive(Debug, Error)]
pub enum MoveError {
    /// There is nothing to move.
    #[error("there is no such cluster")]
    NotThere,
    /// What is stored is damaged, or did not arrive as it was.
    #[error("{0} of what is stored is damaged")]
    Damaged(usize),
    /// The other store has a cluster of this name.
    #[error("the other store has a cluster of this name, of lineage {lineage}")]
    Occupied {
        /// Its lineage.
        lineage: String,
    },
    /// A store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClusterStore {
    /// Moves the cluster to another store: both are locked, everything is copied and read again, this store's head then
    /// says where the cluster is, and only after that the other store has a head. What is here stays as a backup.
    ///
    /// Moving again goes on where a move was interrupted.
    ///
    /// # Errors
    /// [`MoveError`]. The cluster is then where it was, or, when the last step failed, nowhere until it is moved again.
    pub async fn move_to(&self, other: &Self, info: LockInfo) -> Result<MovedCluster, MoveError> {
        let here = self.store.lock(&self.cluster, info.clone()).await?;
        let source = self.load_what_is_here().await?.ok_or(MoveError::NotThere)?;
        let to = other.store.describe();
        if let Some(elsewhere) = source.head.moved_to.as_ref().filter(|elsewhere| **elsewhere != to) {
            return Err(StoreError::Moved { to: elsewhere.clone() }.into());
        }
        let there = other.store.lock_beyond(&other.cluster, info, here.epoch()).await?;
        let target = other.load_what_is_here().await?;
        if let Some(target) = &target {
            check_room(&target.head, &source.head, to.clone())?;
        }
        self.check_soundness().await?;
        let moved = self.copy_contents(other, &*there).await?;
        other.check_soundness().await?;
        let serial = self.retire(&*here, &source, to).await?;
        let head = Head { serial: serial + 1, epoch: there.epoch(), moved_to: None, ..source.head };
        other.swap(&*there, target.as_ref().map(|target| &target.version), &head).await?;
        Ok(moved)
    }

    async fn check_soundness(&self) -> Result<(), MoveError> {
        match self.verify().await?.damages.len() {
            0 => Ok(()),
            count => Err(MoveError::Damaged(count)),
        }
    }

    /// Copies everything but the head. What an earlier attempt left of journals is written anew.
    async fn copy_contents(&self, other: &Self, there: &dyn Lease) -> Result<MovedCluster, StoreError> {
        let keys = self.store.list(&self.cluster, "").await?;
        for key in &keys {
            let bytes = self.store.get(&self.cluster, key).await?;
            let bytes = bytes.ok_or_else(|| StoreError::Damaged { what: key.clone(), why: "it is gone".to_owned() })?;
            there.check()?;
            other.store.put(&other.cluster, key, &bytes).await?;
        }
        let runs = self.store.journals(&self.cluster).await?;
        for run in &runs {
            let records = self.store.read_journal(&self.cluster, run).await?;
            there.check()?;
            other.store.delete_journal(&other.cluster, run).await?;
            let journal = other.store.create_journal(&other.cluster, run).await?;
            if !records.is_empty() {
                journal.append(&records).await?;
            }
            if other.store.read_journal(&other.cluster, run).await? != records {
                let what = format!("journal of run {run}");
                return Err(StoreError::Damaged { what, why: "it was not copied as it is".to_owned() });
            }
        }
        Ok(MovedCluster { objects: keys.len(), journals: runs.len() })
    }

    /// Lets the head say where the cluster is. Gives back its serial.
    async fn retire(&self, lease: &dyn Lease, source: &Loaded, to: String) -> Result<u64, StoreError> {
        if source.head.moved_to.is_some() {
            return Ok(source.head.serial);
        }
        let head = Head { moved_to: Some(to), ..source.head.clone() };
        self.replace(lease, source, head).await.map(|(head, _)| head.serial)
    }
}

/// What stands in the other store may be replaced only when it is what this cluster once left there.
fn check_room(target: &Head, source: &Head, to: String) -> Result<(), MoveError> {
    let is_left = target.moved_to.is_some() && target.serial < source.serial;
    match (target.lineage == source.lineage, is_left) {
        (true, true) => Ok(()),
        (true, false) if source.moved_to.is_some() => Err(StoreError::Moved { to }.into()),
        _ => Err(MoveError::Occupied { lineage: target.lineage.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{cluster, info, lease};
    use super::*;
    use crate::journal::Record;
    use crate::{MemoryStore, Revision};

    fn empty() -> ClusterStore {
        ClusterStore::new(Arc::new(MemoryStore::named("elsewhere")), "demo")
    }

    #[tokio::test]
    async fn a_moved_cluster_is_there_with_everything_and_no_longer_here() {
        let (here, there) = (cluster().await, empty());
        let loaded = here.load().await.unwrap().unwrap();
        let held = lease(&here).await;
        let (journal, ..) = here.begin_run(&*held, &loaded, "open", None).await.unwrap();
        journal
            .append(&Record::RunFinished { succeeded: 1, failed: 0, skipped: 0, time: String::new() })
            .await
            .unwrap();
        drop((journal, held));
        let before = here.load().await.unwrap().unwrap();
        let epoch = here.store.lock("demo", info()).await.unwrap().epoch();
        assert_eq!(here.move_to(&there, info()).await.unwrap(), MovedCluster { objects: 2, journals: 1 });
        let after = there.load().await.unwrap().unwrap();
        assert_eq!(
            (after.state, after.revision, after.head.run),
            (before.state.clone(), before.revision.clone(), before.head.run.clone())
        );
        assert!(after.head.serial > before.head.serial);
        assert!(there.store.lock("demo", info()).await.unwrap().epoch() > epoch);
        assert!(matches!(here.load().await, Err(StoreError::Moved { to }) if to == "elsewhere"));
        let late = here.begin_run(&*lease(&here).await, &before, "late", None).await;
        assert!(matches!(late.err(), Some(StoreError::Conflict)));
    }

    #[tokio::test]
    async fn it_comes_back_over_what_it_left() {
        let (here, there) = (cluster().await, empty());
        here.move_to(&there, info()).await.unwrap();
        there.move_to(&here, info()).await.unwrap();
        assert!(here.load().await.unwrap().is_some());
        assert!(matches!(there.load().await, Err(StoreError::Moved { to }) if to == "memory"));
    }

    #[tokio::test]
    async fn a_cluster_that_is_there_is_not_overwritten() {
        let (here, there) = (cluster().await, empty());
        let held = lease(&there).await;
        let digest = there.put_revision(&*held, &Revision::of_nothing()).await.unwrap();
        there.create(&*held, "other", digest).await.unwrap();
        drop(held);
        let refused = here.move_to(&there, info()).await.unwrap_err();
        assert!(matches!(refused, MoveError::Occupied { lineage } if lineage == "other"));
        assert!(here.load().await.unwrap().is_some());
        here.move_to(&empty(), info()).await.unwrap();
        let again = here.move_to(&cluster().await, info()).await.unwrap_err();
        assert!(matches!(again, MoveError::Store(StoreError::Moved { .. })), "{again:?}");
    }

    #[tokio::test]
    async fn an_interrupted_move_goes_on() {
        let (here, there) = (cluster().await, empty());
        let source = here.load().await.unwrap().unwrap();
        here.copy_contents(&there, &*lease(&there).await).await.unwrap();
        here.retire(&*lease(&here).await, &source, "elsewhere".to_owned()).await.unwrap();
        assert!(there.load().await.unwrap().is_none());
        here.move_to(&there, info()).await.unwrap();
        assert!(there.load().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_is_damaged_stays() {
        let (here, there) = (cluster().await, empty());
        here.store.put("demo", "notes.txt", b"x").await.unwrap();
        assert!(matches!(here.move_to(&there, info()).await, Err(MoveError::Damaged(1))));
        assert!(here.load().await.unwrap().is_some());
    }
}
