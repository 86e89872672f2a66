//! Carries a plan out: one unit of work per fetch or build, started as soon as its inputs are in the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::{AssetRef, AssetSet, AssetSpec, Lock};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::Semaphore;

use super::{PullPlan, Puller, Way, check_against};
use crate::cache::{AssetLock, Manifest, set_aside};
use crate::{AssetCache, AssetError, Build, BuildContext, FetchContext, Job, Record, Task};

/// How many small builds run at once, beside one build that keeps all cores busy.
const SMALL_LANES: usize = 2;
/// How many fetches run at once: they wait for the network more than they work.
const FETCHES: usize = 4;
/// How often a build without news says that it is still there.
const TICK: Duration = Duration::from_secs(1);

/// What is got by one call.
struct Unit {
    specs: Vec<AssetSpec>,
    way: Way,
    needs: BTreeSet<AssetRef>,
}

struct Lanes {
    all_cores: Semaphore,
    small: Semaphore,
    fetches: Semaphore,
    /// Fetches of what builds are made from: what is built first has the whole network.
    sources: Semaphore,
}

impl Lanes {
    fn new() -> Self {
        let [all_cores, small, fetches, sources] = [1, SMALL_LANES, FETCHES, 1].map(Semaphore::new);
        Self { all_cores, small, fetches, sources }
    }

    fn of(&self, way: &Way) -> &Semaphore {
        match way {
            Way::Built(builder) if builder.uses_all_cores() => &self.all_cores,
            Way::Built(_) | Way::Cached(_) => &self.small,
            Way::Fetched(..) => &self.fetches,
        }
    }
}

impl Unit {
    fn title(&self) -> String {
        match (&self.way, self.specs.first()) {
            (Way::Built(builder), Some(spec)) => builder.title(spec),
            // An archive by its file's name, an image by its own.
            (Way::Fetched(source, _), Some(spec)) if self.specs.len() > 1 => {
                source.group(spec).rsplit('/').next().unwrap_or_default().to_owned()
            }
            (_, Some(spec)) => spec.name().to_owned(),
            (_, None) => String::new(),
        }
    }

    fn estimate(&self) -> Option<u64> {
        match &self.way {
            Way::Built(builder) => builder.estimate(self.specs.first()?),
            _ => None,
        }
    }
}

impl Puller {
    /// Gets everything that is not cached. The first error stops the rest, and is told when nothing of it runs any more.
    pub(super) async fn carry_out(
        &self,
        plan: &PullPlan,
        set: &AssetSet,
        lock: Option<&Lock>,
    ) -> Result<(), AssetError> {
        let mut waiting = units(plan);
        let mut pending: BTreeSet<AssetRef> =
            waiting.iter().flat_map(|unit| unit.specs.iter().map(|spec| spec.reference().clone())).collect();
        let lanes = Lanes::new();
        // A token of its own: what fails here stops nothing else of the caller's.
        let round = Self { cancel: self.cancel.child_token(), ..self.clone() };
        let mut running = FuturesUnordered::new();
        let mut first_error = None;
        loop {
            let (ready, rest): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|unit| unit.needs.is_disjoint(&pending));
            waiting = rest;
            for unit in ready {
                running.push(round.get(unit, set, lock, &lanes));
            }
            match running.next().await {
                Some(Ok(done)) => done.iter().for_each(|reference| {
                    pending.remove(reference);
                }),
                Some(Err(error)) => {
                    round.cancel.cancel();
                    first_error.get_or_insert(error);
                }
                None => return first_error.map_or(Ok(()), Err),
            }
        }
    }

    async fn get(
        &self,
        unit: Unit,
        set: &AssetSet,
        lock: Option<&Lock>,
        lanes: &Lanes,
    ) -> Result<Vec<AssetRef>, AssetError> {
        self.fetch_sources(&unit, lanes).await?;
        // The lane first, the locks then: whoever holds locks never waits for another unit of its own process.
        let _lane = lanes.of(&unit.way).acquire().await;
        if self.cancel.is_cancelled() {
            return Err(AssetError::Cancelled(unit.title()));
        }
        let task = Task::start(unit.title(), unit.estimate(), Arc::clone(&self.events));
        let references: Vec<AssetRef> = unit.specs.iter().map(|spec| spec.reference().clone()).collect();
        let _locks = self.lock_all(&references, &task).await?;
        let missing = self.missing(unit.specs)?;
        if missing.is_empty() {
            task.finish("taken from the cache");
            return Ok(references);
        }
        let scratch = self.cache.scratch()?;
        let jobs = self.make(missing, &unit.way, scratch.path(), &task).await?;
        for job in jobs {
            let measured = measure(&job).await?;
            check_offer(&unit.way, &job.spec, &measured.0)
                .and_then(|()| check_against(lock, set, &job.spec, &measured.0.sha256))
                .map_err(|error| self.put_aside(&job, error))?;
            self.cache.insert(job.spec.reference(), &job.out, measured)?;
        }
        match &unit.way {
            Way::Fetched(source, _) => task.finish(&format!("fetched from {}", source.name())),
            _ => task.finish("built"),
        }
        Ok(references)
    }

    /// Gets what a build is made from before it has its turn, while others compile.
    async fn fetch_sources(&self, unit: &Unit, lanes: &Lanes) -> Result<(), AssetError> {
        let Way::Built(builder) = &unit.way else { return Ok(()) };
        if !builder.has_sources() {
            return Ok(());
        }
        let _lane = lanes.sources.acquire().await;
        if self.cancel.is_cancelled() {
            return Err(AssetError::Cancelled(unit.title()));
        }
        let task = Task::start(unit.title(), None, Arc::clone(&self.events));
        let scratch = self.cache.scratch()?;
        let jobs = jobs(unit.specs.clone(), scratch.path());
        let context = BuildContext { inputs: &self.cache, scratch: scratch.path(), task: &task, cancel: &self.cancel };
        while_ticking(&task, builder.fetch_sources(&jobs, &context)).await?;
        task.note("waiting for its turn");
        Ok(())
    }

    /// Keeps what is not what it should be, for whoever wants to find out why.
    fn put_aside(&self, job: &Job, error: AssetError) -> AssetError {
        let aside = set_aside(self.cache.root(), &job.out, &job.spec.asset_ref());
        match error {
            AssetError::Damaged { asset, expected, found, .. } => {
                AssetError::Damaged { asset, expected, found, moved_to: aside }
            }
            AssetError::NotAsLocked { asset, locked, found, .. } => {
                AssetError::NotAsLocked { asset, locked, found, moved_to: aside }
            }
            other => other,
        }
    }

    /// What is not in the cache. Another process may have got some of it while this one waited for a lock.
    fn missing(&self, specs: Vec<AssetSpec>) -> Result<Vec<AssetSpec>, AssetError> {
        let mut missing = Vec::new();
        for spec in specs {
            if self.cache.find(spec.reference())?.is_none() {
                missing.push(spec);
            }
        }
        Ok(missing)
    }

    /// Puts the assets into the scratch directory, each under its name.
    async fn make(
        &self,
        specs: Vec<AssetSpec>,
        way: &Way,
        scratch: &Path,
        task: &Task,
    ) -> Result<Vec<Job>, AssetError> {
        let jobs = jobs(specs, scratch);
        // No asset's name starts with a dot.
        let work = scratch.join(".work");
        fs_err::create_dir(&work).map_err(|e| AssetError::io("make a scratch directory", &work, e))?;
        match way {
            Way::Built(builder) => self.build(builder, &jobs, &work, task).await?,
            Way::Fetched(source, _) => {
                let context = FetchContext { scratch: &work, task, cancel: &self.cancel };
                source.fetch(&jobs, &context).await?;
            }
            Way::Cached(_) => (),
        }
        Ok(jobs)
    }

    async fn build(
        &self,
        builder: &Arc<dyn Build>,
        jobs: &[Job],
        scratch: &Path,
        task: &Task,
    ) -> Result<(), AssetError> {
        task.note("starting");
        let context = BuildContext { inputs: &self.cache, scratch, task, cancel: &self.cancel };
        while_ticking(task, builder.build(jobs, &context)).await
    }

    /// All locks of a unit, always in the same order: two processes must not wait for each other.
    async fn lock_all(&self, references: &[AssetRef], task: &Task) -> Result<Vec<AssetLock>, AssetError> {
        let sorted: BTreeSet<&AssetRef> = references.iter().collect();
        let mut locks = Vec::new();
        for reference in sorted {
            locks.push(AssetLock::acquire(self.cache.lock_file(reference), task, &self.cancel).await?);
        }
        Ok(locks)
    }
}

/// Says of a task every second that it is still there.
async fn while_ticking(task: &Task, work: impl Future<Output = Result<(), AssetError>>) -> Result<(), AssetError> {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => task.tick(),
        }
    }
}

fn jobs(specs: Vec<AssetSpec>, scratch: &Path) -> Vec<Job> {
    specs.into_iter().map(|spec| Job { out: scratch.join(spec.name()), spec }).collect()
}

fn units(plan: &PullPlan) -> Vec<Unit> {
    let mut groups: BTreeMap<String, Unit> = BTreeMap::new();
    for (spec, way) in plan.assets() {
        let key = match way {
            Way::Cached(_) => continue,
            Way::Fetched(source, _) => format!("{} {}", source.name(), source.group(spec)),
            Way::Built(builder) => builder.group(spec),
        };
        let unit =
            groups.entry(key).or_insert_with(|| Unit { specs: Vec::new(), way: way.clone(), needs: BTreeSet::new() });
        if matches!(way, Way::Built(_)) {
            unit.needs.extend(spec.recipe().inputs().into_iter().cloned());
        }
        unit.specs.push(spec.clone());
    }
    let mut units: Vec<Unit> = groups.into_values().collect();
    // The longest first: what is made of it waits for it.
    units.sort_by_key(|unit| std::cmp::Reverse(unit.estimate()));
    units
}

async fn measure(job: &Job) -> Result<(Record, Option<Manifest>), AssetError> {
    let (kind, out) = (job.spec.kind(), job.out.clone());
    let failed = |e| AssetError::io(format!("read {}", job.spec.name()), &job.out, io::Error::other(e));
    tokio::task::spawn_blocking(move || AssetCache::measure(kind, &out)).await.map_err(failed)?
}

/// What was fetched must be what was offered.
fn check_offer(way: &Way, spec: &AssetSpec, made: &Record) -> Result<(), AssetError> {
    match way {
        Way::Fetched(source, offer) if offer.sha256.as_ref().is_some_and(|sha256| *sha256 != made.sha256) => {
            Err(AssetError::Damaged {
                asset: format!("{} of {}", spec.asset_ref(), source.name()),
                expected: offer.sha256.clone().unwrap_or_default(),
                found: made.sha256.clone(),
                moved_to: None,
            })
        }
        _ => Ok(()),
    }
}
