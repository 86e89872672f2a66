//! Gets assets into the cache: asks the sources in their order, builds what none has, inputs first.

mod plan;
mod run;

use std::sync::Arc;

use catalog::{AssetSet, AssetSpec, Lock};
use engine::{AssetMissing, EventSink};
use tokio_util::sync::CancellationToken;

pub use plan::{PullPlan, Way};

use crate::{AssetCache, AssetError, Builders, CachedAsset, MirrorDirectory, Source, Task};

/// One place that assets come from, in the order in which they are asked. The cache is always asked first.
#[derive(Clone)]
pub enum Origin {
    /// Fetched, finished.
    Fetch(Arc<dyn Source>),
    /// Made here.
    Build(Builders),
}

/// Gets assets into the cache.
#[derive(Clone)]
pub struct Puller {
    cache: AssetCache,
    origins: Vec<Origin>,
    events: Arc<dyn EventSink>,
    cancel: CancellationToken,
}

impl Puller {
    /// Gets assets from `origins` into `cache`.
    pub fn new(cache: AssetCache, origins: Vec<Origin>, events: Arc<dyn EventSink>) -> Self {
        Self { cache, origins, events, cancel: CancellationToken::new() }
    }

    /// Stops when `cancel` is cancelled.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The cache.
    pub fn cache(&self) -> &AssetCache {
        &self.cache
    }

    /// Makes sure that everything the set wants is in the cache, and tells what is there.
    ///
    /// With a lock, content that differs from it is an error, save for what comes out of the Debian archive.
    pub async fn pull(&self, set: &AssetSet, lock: Option<&Lock>) -> Result<Lock, AssetError> {
        let plan = self.plan(set, lock).await?;
        self.check_tools(&plan).await?;
        self.carry_out(&plan, set, lock).await?;
        let mut pulled = Lock::default();
        for spec in set.wanted() {
            let asset = self.present(spec)?;
            check_against(lock, set, spec, &asset.record.sha256)?;
            pulled.entries.insert(spec.name().to_owned(), asset.lock_entry());
        }
        Ok(pulled)
    }

    /// Copies everything that the set wants, which must be in the cache, into a mirror.
    pub async fn mirror(&self, set: &AssetSet, mirror: &MirrorDirectory) -> Result<(), AssetError> {
        for spec in set.wanted() {
            let task = Task::start(spec.name(), None, Arc::clone(&self.events));
            mirror.publish(&self.present(spec)?, &task, &self.cancel).await?;
            task.finish("mirrored");
        }
        Ok(())
    }

    /// Hashes everything in the cache that the set wants. The first damage is the error.
    pub fn verify(&self, set: &AssetSet, lock: Option<&Lock>) -> Result<(), AssetError> {
        for spec in set.wanted() {
            let asset = self.cache.verify(spec.reference())?.ok_or_else(|| AssetMissing(spec.asset_ref()))?;
            check_against(lock, set, spec, &asset.record.sha256)?;
        }
        Ok(())
    }

    fn present(&self, spec: &AssetSpec) -> Result<CachedAsset, AssetError> {
        self.cache.find(spec.reference())?.ok_or_else(|| AssetMissing(spec.asset_ref()).into())
    }
}

/// Refuses content that is not what the lock pins.
fn check_against(lock: Option<&Lock>, set: &AssetSet, spec: &AssetSpec, sha256: &str) -> Result<(), AssetError> {
    let pinned = lock.and_then(|lock| lock.pinned(spec.name(), spec.reference().recipe()));
    match pinned {
        Some(pinned) if pinned.sha256 != sha256 && set.is_reproducible(spec) => Err(AssetError::NotAsLocked {
            asset: spec.name().to_owned(),
            locked: pinned.sha256.clone(),
            found: sha256.to_owned(),
            moved_to: None,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
