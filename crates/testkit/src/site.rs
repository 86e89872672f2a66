//! Everything around one cluster, and what a command does with it: look, plan, carry out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::journal::{self, Record};
use engine::{ClusterStore, Handler, Handlers, Limits, Loaded, Revision, State, StateStore, StoreError, Summary};
use plan::{ActionId, Plan};
use reconcile::{Observations, OpenCluster, ReconcileError, RunContext};
use resource::{Desired, Digest, ResourceId};
use tokio_util::sync::CancellationToken;

use crate::conformance::lock_info;
use crate::{CollectedEvents, FakeWorld, Life, ManualClock, MemoryVault, MortalStore, SeededRandomness};

const CLUSTER: &str = "demo";

/// Everything around one cluster. The process that works on it can die; [`Site::fork`] is the next one.
pub struct Site {
    /// The world that is changed.
    pub world: FakeWorld,
    /// Where state is kept.
    pub store: MortalStore,
    /// Where secrets are kept.
    pub vault: MemoryVault,
    /// The time.
    pub clock: ManualClock,
    /// What happened.
    pub events: CollectedEvents,
    /// The first Ctrl-C.
    pub drain: CancellationToken,
    /// The second Ctrl-C.
    pub abort: CancellationToken,
    /// How many actions on one kind run at once.
    pub limits: Limits,
    life: Life,
    others: Vec<Arc<dyn Handler>>,
    wrap: fn(Arc<dyn Handler>) -> Arc<dyn Handler>,
    seed: u64,
}

impl Site {
    /// An empty world with the kinds that `world` makes it of, beside `others`, and a store with an empty cluster.
    pub async fn new(world: impl FnOnce(Life) -> FakeWorld, others: Vec<Arc<dyn Handler>>) -> Result<Self, StoreError> {
        let life = Life::default();
        let site = Self {
            world: world(life.clone()),
            store: MortalStore::new(life.clone()),
            vault: MemoryVault::new(life.clone()),
            clock: ManualClock::default(),
            events: CollectedEvents::default(),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
            limits: Limits::default(),
            life,
            others,
            wrap: |handler| handler,
            seed: 1,
        };
        let cluster = site.cluster();
        let lease = site.store.lock(CLUSTER, lock_info("test")).await?;
        let revision = cluster.put_revision(&*lease, &Revision::of_nothing()).await?;
        cluster.create(&*lease, "lineage", revision).await?;
        Ok(site)
    }

    /// The same with every handler wrapped.
    #[must_use]
    pub fn wrapped(self, wrap: fn(Arc<dyn Handler>) -> Arc<dyn Handler>) -> Self {
        Self { wrap, ..self }
    }

    /// The next process, on a copy of everything that outlives a process.
    #[must_use]
    pub fn fork(&self) -> Self {
        let life = Life::default();
        Self {
            world: self.world.fork(life.clone()),
            store: self.store.fork(life.clone()),
            vault: self.vault.fork(life.clone()),
            clock: self.clock.clone(),
            events: CollectedEvents::default(),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
            limits: self.limits.clone(),
            life,
            others: self.others.clone(),
            wrap: self.wrap,
            seed: self.seed + 1,
        }
    }

    /// Whether the process is dead.
    pub fn is_dead(&self) -> bool {
        self.life.is_over()
    }

    /// What is stored.
    pub async fn load(&self) -> Result<Loaded, StoreError> {
        let missing = || StoreError::Damaged { what: "the cluster".to_owned(), why: "it is not there".to_owned() };
        self.cluster().load().await?.ok_or_else(missing)
    }

    /// What is recorded.
    pub async fn state(&self) -> Result<State, StoreError> {
        Ok(self.load().await?.state)
    }

    /// Observes everything and plans.
    pub async fn plan(&self, desired: &BTreeMap<ResourceId, Desired>) -> Result<Plan, ReconcileError> {
        plan(&self.open().await?, desired).await
    }

    /// Plans as if everything were as it is recorded.
    pub async fn plan_unrefreshed(&self, desired: &BTreeMap<ResourceId, Desired>) -> Result<Plan, ReconcileError> {
        let cluster = self.open().await?;
        plan_from(&cluster, desired, &cluster.recorded_as_observed(desired))
    }

    /// Observes, plans, and carries the plan out.
    pub async fn apply(&self, desired: &BTreeMap<ResourceId, Desired>) -> Result<(Plan, Summary), ReconcileError> {
        let cluster = self.open().await?;
        let plan = plan(&cluster, desired).await?;
        let summary = self.run(&cluster, &plan, desired).await?;
        Ok((plan, summary))
    }

    /// Carries a plan out and folds the journal into the state.
    pub async fn carry_out(
        &self,
        plan: &Plan,
        desired: &BTreeMap<ResourceId, Desired>,
    ) -> Result<Summary, ReconcileError> {
        self.run(&self.open().await?, plan, desired).await
    }

    async fn run(
        &self,
        cluster: &OpenCluster,
        plan: &Plan,
        desired: &BTreeMap<ResourceId, Desired>,
    ) -> Result<Summary, ReconcileError> {
        let lease = self.store.lock(CLUSTER, lock_info("test")).await?;
        self.world.learn(desired);
        let context = RunContext {
            run: self.run_at(cluster.loaded.head.serial),
            lease,
            limits: self.limits.clone(),
            who: "somebody@host".to_owned(),
            command: "test".to_owned(),
            // No two runs of a process draw the same.
            randomness: Arc::new(SeededRandomness::new(self.seed ^ (cluster.loaded.head.serial << 32))),
            events: Arc::new(self.events.clone()),
            drain: self.drain.clone(),
            abort: self.abort.clone(),
        };
        Ok(cluster.run(plan, desired, context).await?)
    }

    /// The run that this process begins at a serial. Another process at the same one has another run.
    pub fn run_at(&self, serial: u64) -> String {
        format!("run-{serial}-{}", self.seed)
    }

    /// The journal of the last run that was begun, finished or not, when it began at this serial.
    pub async fn journal(&self, serial: u64) -> Result<Vec<Record>, StoreError> {
        let run = self.run_at(serial);
        journal::parse(&run, &self.store.read_journal(CLUSTER, &run).await?)
    }

    /// Actions that a journal speaks of.
    pub fn journalled(records: &[Record]) -> Vec<&ActionId> {
        records.iter().filter_map(action_of).collect()
    }

    fn cluster(&self) -> ClusterStore {
        ClusterStore::new(Arc::new(self.store.clone()), CLUSTER)
    }

    fn handlers(&self) -> Handlers {
        let world: Arc<dyn Handler> = Arc::new(self.world.clone());
        let all = std::iter::once(world).chain(self.others.iter().cloned());
        all.fold(Handlers::default(), |handlers, handler| handlers.with((self.wrap)(handler)))
    }

    async fn open(&self) -> Result<OpenCluster, StoreError> {
        let (vault, clock) = (Arc::new(self.vault.clone()), Arc::new(self.clock.clone()));
        OpenCluster::new(self.cluster(), self.load().await?, vault, self.handlers(), clock).await
    }
}

async fn plan(cluster: &OpenCluster, desired: &BTreeMap<ResourceId, Desired>) -> Result<Plan, ReconcileError> {
    plan_from(cluster, desired, &cluster.observe(desired).await)
}

fn plan_from(
    cluster: &OpenCluster,
    desired: &BTreeMap<ResourceId, Desired>,
    observed: &Observations,
) -> Result<Plan, ReconcileError> {
    Ok(cluster.plan(desired, Digest::of_bytes(b""), observed, &BTreeSet::new())?)
}

fn action_of(record: &Record) -> Option<&ActionId> {
    match record {
        Record::ActionStarted { action, .. }
        | Record::ActionSucceeded { action, .. }
        | Record::ActionFailed { action, .. } => Some(action),
        Record::RunStarted { .. } | Record::RunFinished { .. } => None,
    }
}
