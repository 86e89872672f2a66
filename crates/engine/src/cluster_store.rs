//! The typed view of one cluster in a state store: head, revisions, checkpoints, journals.

mod history;
mod moving;
mod verify;

use std::sync::Arc;

use resource::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use history::RevisionError;
pub use moving::{MoveError, MovedCluster};
pub use verify::{Damage, Verified};

use crate::document::parse;
use crate::journal::{self, Journal, Record};
use crate::state::{Head, State};
use crate::vault::SECRETS;
use crate::{Lease, StateStore, StoreError, Version};

const REVISIONS: &str = "revisions/";
const CHECKPOINTS: &str = "checkpoints/";
/// Named as the first releases called it.
const APPLIED_SPECS: &str = "goals/";

/// Objects of more bytes are digested on a thread of their own.
const LARGE: usize = 1 << 20;
/// Why an object is damaged whose name is not its content's digest.
const OTHER_CONTENT: &str = "its content is not what it was written with";

/// One immutable set of documents as the user wrote them, with what was found out and allocated then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    /// Version of this format.
    pub format: u32,
    /// The documents, by file name, as written.
    pub documents: Vec<SourceText>,
    /// What must be known before resolving: what the provider found out and allocated, editions, own templates. Called `ground` in
    /// format 1.
    #[serde(alias = "ground")]
    pub facts: Value,
    /// The revision before this one.
    pub parent: Option<Digest>,
    /// `user@host`.
    pub author: String,
    /// The command that made it.
    pub reason: String,
    /// When, RFC 3339.
    pub time: String,
}

impl Revision {
    /// Version written into revisions.
    pub const FORMAT: u32 = 2;

    /// A revision without documents, for tests.
    pub fn of_nothing() -> Self {
        Self {
            format: Self::FORMAT,
            documents: Vec::new(),
            facts: Value::Null,
            parent: None,
            author: String::new(),
            reason: String::new(),
            time: String::new(),
        }
    }
}

/// What a run was to make of the cluster. A revision alone does not say it: another kubewright may have other defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppliedSpec {
    /// Version of this format.
    pub format: u32,
    /// The revision.
    pub revision: Digest,
    /// Its documents, every default filled in.
    pub documents: Vec<Value>,
}

impl AppliedSpec {
    /// Version written into applied specs.
    pub const FORMAT: u32 = 1;
}

/// One file of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceText {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What is stored of a cluster now.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The head.
    pub head: Head,
    /// Its version, for the next swap.
    pub version: Version,
    /// The state: checkpoint and the journal of an unfinished run.
    pub state: State,
    /// The wanted revision.
    pub revision: Revision,
    /// What the last run was to lead to.
    pub applied: Option<AppliedSpec>,
}

/// One cluster in a state store. Whoever writes or deletes shows a lease of the cluster, which is looked at each time.
#[derive(Clone)]
pub struct ClusterStore {
    store: Arc<dyn StateStore>,
    cluster: String,
}

impl ClusterStore {
    /// The cluster called `cluster` in `store`.
    pub fn new(store: Arc<dyn StateStore>, cluster: &str) -> Self {
        Self { store, cluster: cluster.to_owned() }
    }

    /// The cluster's name.
    pub fn name(&self) -> &str {
        &self.cluster
    }

    /// The store below.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.store
    }

    /// Everything stored now; `None` when there is no such cluster, [`StoreError::Moved`] when it is in another store,
    /// [`StoreError::BeingRemoved`] when a removal of it was interrupted.
    pub async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        let loaded = self.load_what_is_here().await?;
        match loaded.as_ref().and_then(|loaded| loaded.head.moved_to.clone()) {
            Some(to) => Err(StoreError::Moved { to }),
            None => Ok(loaded),
        }
    }

    /// The same of a cluster that may be in another store by now.
    async fn load_what_is_here(&self) -> Result<Option<Loaded>, StoreError> {
        let Some((bytes, version)) = self.store.head(&self.cluster).await? else { return Ok(None) };
        let head: Head = parse(&format!("head of cluster {}", self.cluster), Head::FORMAT, &bytes)?;
        if head.removing {
            return Err(StoreError::BeingRemoved { cluster: self.cluster.clone() });
        }
        // At once: a store may be far away.
        let (state, records, revision, applied) = tokio::try_join!(
            self.read_if_any(CHECKPOINTS, head.checkpoint.as_ref(), State::FORMAT),
            self.open_run(&head),
            self.read(REVISIONS, &head.revision, Revision::FORMAT),
            self.read_if_any(APPLIED_SPECS, head.applied.as_ref(), AppliedSpec::FORMAT),
        )?;
        let mut state = state.unwrap_or_else(State::empty);
        state.fold(&records);
        Ok(Some(Loaded { head, version, state, revision, applied }))
    }

    /// The newest revision, also of a cluster that is in another store by now or whose runs cannot be read.
    pub async fn latest_revision(&self) -> Result<Option<Revision>, StoreError> {
        let Some((bytes, _)) = self.store.head(&self.cluster).await? else { return Ok(None) };
        let head: Head = parse(&format!("head of cluster {}", self.cluster), Head::FORMAT, &bytes)?;
        if head.removing {
            return Ok(None);
        }
        self.read(REVISIONS, &head.revision, Revision::FORMAT).await.map(Some)
    }

    /// What was done in a run that has not been folded into a checkpoint.
    async fn open_run(&self, head: &Head) -> Result<Vec<Record>, StoreError> {
        let Some(run) = &head.run else { return Ok(Vec::new()) };
        journal::parse(run, &self.store.read_journal(&self.cluster, run).await?)
    }

    /// Writes a revision and gives its digest.
    pub async fn put_revision(&self, lease: &dyn Lease, revision: &Revision) -> Result<Digest, StoreError> {
        self.put(lease, REVISIONS, revision).await
    }

    /// Makes the first head.
    ///
    /// # Errors
    /// [`StoreError::Leftovers`] where an earlier cluster of this name left secrets or checkpoints: they would become this
    /// one's, and whoever could read them could read its secrets.
    pub async fn create(&self, lease: &dyn Lease, lineage: &str, revision: Digest) -> Result<(), StoreError> {
        let head = Head {
            format: Head::FORMAT,
            lineage: lineage.to_owned(),
            serial: 1,
            epoch: lease.epoch(),
            revision,
            checkpoint: None,
            run: None,
            applied: None,
            moved_to: None,
            removing: false,
        };
        let mut left = 0;
        for below in [SECRETS, CHECKPOINTS] {
            left += self.store.list(&self.cluster, below).await?.len();
        }
        if left > 0 {
            return Err(StoreError::Leftovers { cluster: self.cluster.clone(), objects: left });
        }
        self.swap(lease, None, &head).await.map(drop)
    }

    /// Moves the head to another revision.
    pub async fn set_revision(
        &self,
        lease: &dyn Lease,
        loaded: &Loaded,
        revision: Digest,
    ) -> Result<Version, StoreError> {
        self.replace(lease, loaded, Head { revision, ..loaded.head.clone() }).await.map(|(_, version)| version)
    }

    /// Begins a run: the state as it is becomes the checkpoint, and the run's journal goes on from there.
    ///
    /// `applied` is what the run is to lead to; without one (when the cluster is deleted) the last one stays.
    pub async fn begin_run(
        &self,
        lease: &dyn Lease,
        loaded: &Loaded,
        run: &str,
        applied: Option<&AppliedSpec>,
    ) -> Result<(Journal, Head, Version), StoreError> {
        let checkpoint = self.put(lease, CHECKPOINTS, &loaded.state).await?;
        let applied = match applied {
            Some(applied) => Some(self.put(lease, APPLIED_SPECS, applied).await?),
            None => loaded.head.applied.clone(),
        };
        lease.check()?;
        let writer = self.store.create_journal(&self.cluster, run).await?;
        let head = Head { checkpoint: Some(checkpoint), run: Some(run.to_owned()), applied, ..loaded.head.clone() };
        let (head, version) = self.replace(lease, loaded, head).await?;
        Ok((Journal::start(writer), head, version))
    }

    /// Ends a run that was begun under this lease: its journal is folded into a new checkpoint.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] also when another run is open: whoever began it has taken the lease.
    pub async fn end_run(&self, lease: &dyn Lease, run: &str) -> Result<State, StoreError> {
        lease.check()?;
        let Some(loaded) = self.load().await? else { return Err(StoreError::LeaseLost) };
        if loaded.head.run.as_deref() != Some(run) {
            return Err(StoreError::LeaseLost);
        }
        let checkpoint = self.put(lease, CHECKPOINTS, &loaded.state).await?;
        let head = Head { checkpoint: Some(checkpoint), run: None, ..loaded.head.clone() };
        let (head, _) = self.replace(lease, &loaded, head).await?;
        self.tidy(lease, &[&loaded.head, &head]).await?;
        Ok(loaded.state)
    }

    /// Removes the cluster from the store.
    ///
    /// The head says so first: until it goes, last of all, an interrupted removal can be ended and nobody can make another
    /// cluster of this name of what is left.
    pub async fn remove(&self, lease: &dyn Lease) -> Result<(), StoreError> {
        if let Some((bytes, version)) = self.store.head(&self.cluster).await? {
            let head: Head = parse(&format!("head of cluster {}", self.cluster), Head::FORMAT, &bytes)?;
            if head.epoch > lease.epoch() {
                return Err(StoreError::LeaseLost);
            }
            let removing = Head { removing: true, serial: head.serial + 1, epoch: lease.epoch(), ..head };
            self.swap(lease, Some(&version), &removing).await?;
        }
        lease.check()?;
        self.store.remove(&self.cluster).await
    }

    /// Writes an object, which is named by its content.
    async fn put<T: Serialize>(&self, lease: &dyn Lease, below: &str, object: &T) -> Result<Digest, StoreError> {
        let (digest, bytes) = encode(object)?;
        lease.check()?;
        self.store.put(&self.cluster, &key(below, &digest), &bytes).await?;
        Ok(digest)
    }

    /// Writes the head that comes after what was loaded.
    async fn replace(&self, lease: &dyn Lease, loaded: &Loaded, head: Head) -> Result<(Head, Version), StoreError> {
        if loaded.head.epoch > lease.epoch() {
            return Err(StoreError::LeaseLost);
        }
        let head = Head { serial: loaded.head.serial + 1, epoch: lease.epoch(), ..head };
        let version = self.swap(lease, Some(&loaded.version), &head).await?;
        Ok((head, version))
    }

    async fn swap(&self, lease: &dyn Lease, expected: Option<&Version>, head: &Head) -> Result<Version, StoreError> {
        let (_, bytes) = encode(head)?;
        lease.check()?;
        self.store.swap_head(&self.cluster, expected, &bytes).await
    }

    async fn read_if_any<T: DeserializeOwned>(
        &self,
        below: &str,
        digest: Option<&Digest>,
        format: u32,
    ) -> Result<Option<T>, StoreError> {
        let Some(digest) = digest else { return Ok(None) };
        self.read(below, digest, format).await.map(Some)
    }

    /// Reads an object, which must have the content that it is named by.
    async fn read<T: DeserializeOwned>(&self, below: &str, digest: &Digest, format: u32) -> Result<T, StoreError> {
        let key = key(below, digest);
        let what = format!("{key} of cluster {}", self.cluster);
        let damaged = |why: &str| Err(StoreError::Damaged { what: what.clone(), why: why.to_owned() });
        let Some(bytes) = self.store.get(&self.cluster, &key).await? else { return damaged("it is missing") };
        let (is_whole, parsed) = digested(&bytes, digest, || parse(&what, format, &bytes));
        if is_whole { parsed } else { damaged(OTHER_CONTENT) }
    }
}

/// Whether bytes have this digest, and what `read` makes of them. A checkpoint of a large cluster is digested on another
/// thread meanwhile: both take about as long.
fn digested<T>(bytes: &[u8], digest: &Digest, read: impl FnOnce() -> T) -> (bool, T) {
    let is_whole = || Digest::of_bytes(bytes) == *digest;
    std::thread::scope(|scope| {
        let large = bytes.len() > LARGE;
        match large.then(|| std::thread::Builder::new().spawn_scoped(scope, is_whole)) {
            Some(Ok(digesting)) => {
                let read = read();
                (digesting.join().unwrap_or(false), read)
            }
            _ => (is_whole(), read()),
        }
    })
}

fn key(below: &str, digest: &Digest) -> String {
    format!("{below}{digest}.json")
}

/// Without white space: a third of a large checkpoint would be that.
fn encode<T: Serialize>(value: &T) -> Result<(Digest, Vec<u8>), StoreError> {
    let bytes = serde_json::to_vec(value).map_err(|error| StoreError::Unusable {
        what: "encode an object".to_owned(),
        source: std::io::Error::other(error),
    })?;
    Ok((Digest::of_bytes(&bytes), bytes))
}

#[cfg(test)]
mod tests;
