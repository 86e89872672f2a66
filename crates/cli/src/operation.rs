//! The pipeline that create, update, start and delete share: load, resolve, observe, plan, run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use credentials::{Vault, VaultError};
use engine::cluster_store::Loaded;
use engine::runner::{self, Ports, Summary};
use engine::{
    ClusterStore, Goal, Handlers, KnownOutputs, Lease, Limits, ObserveRequest, Revision, RevisionError, SecretVault,
    State, StoreError,
};
use plan::{Base, Input, Plan};
use report::words;
use resource::{Desired, Digest, Observation, Recorded, ResourceId};
use serde_json::Value;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::run_log::RunLog;
use crate::system::{SystemClock, SystemRandomness};

/// What was found of each resource.
pub(crate) type Observations = BTreeMap<ResourceId, Observation>;

/// One cluster, opened for looking at it or changing it.
pub(crate) struct Operation<'a> {
    app: &'a App,
    /// The cluster in its store.
    pub(crate) store: ClusterStore,
    /// What is stored of it.
    pub(crate) loaded: Loaded,
    /// Its secrets.
    pub(crate) vault: Arc<Vault>,
    /// Outputs of its resources.
    pub(crate) outputs: Arc<KnownOutputs>,
    /// Who does the work.
    pub(crate) handlers: Handlers,
    /// What runs are to lead to.
    goal: Option<Goal>,
}

/// Reads what is stored of a cluster; a cluster that isn't there is an error that names those that are.
pub(crate) async fn load(app: &App, name: &str) -> Result<Loaded, CommandError> {
    match app.cluster(name).load().await {
        Ok(Some(loaded)) => return Ok(loaded),
        Ok(None) => {}
        Err(error @ StoreError::Damaged { .. }) => return Err(with_backup(app, name, error.into())),
        Err(error) => return Err(error.into()),
    }
    Err(no_such(app, name).await)
}

/// The right to change a cluster. Of one that is not there nothing is made, not even a lock.
pub(crate) async fn lock(app: &App, name: &str, operation: &str) -> Result<Arc<dyn Lease>, CommandError> {
    if app.store.head(name).await?.is_none() {
        return Err(no_such(app, name).await);
    }
    Ok(app.store.lock(name, app.lock_info(operation)).await?)
}

/// There is no cluster of this name: which one is meant, or which ones there are.
async fn no_such(app: &App, name: &str) -> CommandError {
    let others = match app.store.clusters().await {
        Ok(others) => others,
        Err(error) => return error.into(),
    };
    let error = CommandError::failed(format!("there is no cluster {name} in {}", app.store.describe()));
    let error = match spec::nearest(name, others.iter().map(String::as_str)) {
        Some(nearest) => error.hint(format!("did you mean {nearest}?")),
        None => error,
    };
    let known =
        if others.is_empty() { "there are none".to_owned() } else { format!("there are: {}", others.join(", ")) };
    error.hint(format!("{known}; create it with: kubewright create cluster {name} --yes"))
}

/// Says how to go on with damaged state.
pub(crate) fn with_backup(app: &App, name: &str, error: CommandError) -> CommandError {
    let error = error.hint(format!("see everything that is damaged: kubewright state verify {name}"));
    match app.store.earlier_head(name) {
        Some(path) => error.hint(format!("the head before this one, with what it refers to, is kept as {path}")),
        None => error,
    }
}

/// A revision of a cluster's documents by its digest or the beginning of it.
pub(crate) async fn revision(app: &App, name: &str, wanted: &str) -> Result<(Digest, Revision), CommandError> {
    app.cluster(name).revision(wanted).await.map_err(|error| match error {
        RevisionError::Store(error) => error.into(),
        other => CommandError::from_source("", &other).hint(format!("see: kubewright get revisions {name}")),
    })
}

/// Makes the operator's key where there is none, before the first secret of a first cluster is made: of several commands at
/// once all take the same one.
pub(crate) fn make_key(app: &App) -> Result<(), CommandError> {
    let made = Vault::public_key(&app.environment.operator_key);
    made.map(drop).map_err(|error| CommandError::from_source("cannot make the operator's key", &error))
}

/// Opens the secrets of a cluster.
pub(crate) async fn open_vault(app: &App, name: &str) -> Result<Arc<Vault>, CommandError> {
    let opened = Vault::open(app.store.clone(), name, &app.environment.operator_key, &SystemRandomness).await;
    opened.map(Arc::new).map_err(|error| {
        CommandError::from_source("cannot open the cluster's secrets", &error)
            .hint(format!("the operator's key is {}", app.environment.operator_key.display()))
    })
}

/// Whether the cluster's API is there to be kept up. It answers only while etcd has its quorum.
fn api_answers(observed: &Observations) -> bool {
    let of_the_api = |id: &ResourceId| matches!(id.kind(), "node" | "object");
    observed.iter().any(|(id, seen)| of_the_api(id) && !matches!(seen, Observation::Unknown { .. }))
}

impl<'a> Operation<'a> {
    /// Opens a cluster with the handlers that will work on it.
    pub(crate) async fn open(
        app: &'a App,
        loaded: Loaded,
        name: &str,
        handlers: Handlers,
    ) -> Result<Self, CommandError> {
        let vault = open_vault(app, name).await?;
        let port: Arc<dyn SecretVault> = vault.clone();
        let outputs = KnownOutputs::load(&loaded.state, Arc::new(SystemClock), port).await?;
        Ok(Self { app, store: app.cluster(name), loaded, vault, outputs, handlers, goal: None })
    }

    /// The same, for runs that lead to `goal`.
    pub(crate) fn towards(self, goal: Option<Goal>) -> Self {
        Self { goal, ..self }
    }

    /// Looks at everything desired or recorded.
    pub(crate) async fn observe(&self, desired: &BTreeMap<ResourceId, Desired>) -> Observations {
        self.handlers.observe(requests(desired, &self.loaded), self.outputs.clone()).await
    }

    /// The same as a phase that the user sees.
    pub(crate) async fn look(&self, desired: &BTreeMap<ResourceId, Desired>) -> Result<Observations, CommandError> {
        let looking = async { Ok::<_, CommandError>(self.observe(desired).await) };
        self.app.phase("compared with what is there", looking).await
    }

    /// What is found with these inputs, of things that nothing is recorded of.
    pub(crate) async fn look_at(&self, inputs: &BTreeMap<ResourceId, Value>) -> Observations {
        let request = |(id, inputs): (&ResourceId, &Value)| ObserveRequest {
            id: id.clone(),
            desired: Some(inputs.clone()),
            recorded: None,
        };
        self.handlers.observe(inputs.iter().map(request).collect(), self.outputs.clone()).await
    }

    /// The same as if what was recorded were what is there.
    pub(crate) fn recorded_for_seen(&self, desired: &BTreeMap<ResourceId, Desired>) -> Observations {
        let requests = requests(desired, &self.loaded).into_iter();
        requests.map(|request| (request.id, as_recorded(request.recorded))).collect()
    }

    /// What a plan is bound to, now.
    pub(crate) fn base(&self, cluster: &str, lock: Digest) -> Base {
        let head = &self.loaded.head;
        Base {
            cluster: cluster.to_owned(),
            lineage: head.lineage.clone(),
            serial: head.serial,
            revision: head.revision.clone(),
            lock,
            schemas: self.handlers.schemas_digest(),
            rules: None,
            targets: BTreeSet::new(),
            kubewright: crate::commands::version::VERSION.to_owned(),
            time: jiff::Timestamp::now().to_string(),
        }
    }

    /// Plans from what was `observed`, for `targets` only where there are any.
    pub(crate) fn plan(
        &self,
        cluster: &str,
        desired: &BTreeMap<ResourceId, Desired>,
        lock: Digest,
        observed: &Observations,
        targets: &BTreeSet<ResourceId>,
    ) -> Result<Plan, CommandError> {
        let input = Input {
            base: self.base(cluster, lock),
            desired,
            recorded: &self.loaded.state.resources,
            observed,
            schemas: self.handlers.schemas(),
            expanders: self.handlers.expanders(),
        };
        let schemas = self.handlers.schemas();
        let plan = plan::make_plan(input).map(|plan| plan.limited_to(targets));
        // Where nothing works any more there is nothing to keep up, and one may need all others to be mended.
        let plan = if api_answers(observed) { plan.and_then(|plan| plan.in_turns(schemas)) } else { plan };
        plan.map_err(|cycle| CommandError::from_source("cannot plan", &cycle).exit(Exit::Bug))
    }

    /// Carries a plan out under `lease`, and folds its journal into the state.
    pub(crate) async fn run(
        &self,
        plan: &Plan,
        desired: &BTreeMap<ResourceId, Desired>,
        lease: Arc<dyn Lease>,
        limits: Limits,
    ) -> Result<Summary, CommandError> {
        let _working = self.app.stop.working();
        let run = runner::new_run_id(&SystemClock);
        let (journal, ..) = self.store.begin_run(&*lease, &self.loaded, &run, self.goal_of(plan)).await?;
        let ports = Ports {
            handlers: self.handlers.clone(),
            outputs: self.outputs.clone(),
            vault: self.vault.clone(),
            journal,
            lease: lease.clone(),
            who: self.app.environment.who.clone(),
            command: self.app.environment.command.clone(),
            randomness: Arc::new(SystemRandomness),
            clock: Arc::new(SystemClock),
            events: Arc::new(RunLog::open(self.app, &plan.base.cluster, &run)),
            drain: self.app.stop.drain.clone(),
            abort: self.app.stop.abort.clone(),
        };
        let summary = runner::run(plan, desired, &run, limits, &ports).await.map_err(in_a_run)?;
        let state = self.store.end_run(&*lease, &run).await.map_err(in_a_run)?;
        self.compact(&*lease, &state).await?;
        Ok(summary)
    }

    /// What a run of `plan` leads to. One that is limited to targets leads nowhere else than the last one.
    fn goal_of(&self, plan: &Plan) -> Option<&Goal> {
        let whole = plan.base.targets.is_empty() || self.loaded.goal.is_none();
        self.goal.as_ref().filter(|_| whole)
    }

    /// Leaves one encrypted object with what the state still refers to.
    async fn compact(&self, lease: &dyn Lease, state: &State) -> Result<(), CommandError> {
        let live = state.resources.iter().filter(|(_, recorded)| !recorded.secrets.is_empty());
        let live = live.map(|(id, recorded)| (id.clone(), recorded.secrets.clone())).collect();
        let compacted = self.vault.compact(lease, &live).await;
        compacted.map_err(|error| match error {
            VaultError::Store(error) => in_a_run(error),
            other => CommandError::from_source("cannot tidy the cluster's secrets up", &other),
        })
    }
}

/// The store failed while something was being done.
fn in_a_run(error: StoreError) -> CommandError {
    let is_unusable = matches!(error, StoreError::Unusable { .. });
    let failed = CommandError::from(error);
    if !is_unusable {
        return failed;
    }
    failed.hint("nothing that was done is lost: mend the store, then run the same command again")
}

/// What is recorded, as if it had been seen. What an interrupted run left in doubt stays unknown.
fn as_recorded(recorded: Option<Recorded>) -> Observation {
    match recorded {
        None => Observation::Absent,
        Some(recorded) if recorded.tainted => Observation::unknown("its last run was interrupted"),
        Some(recorded) => Observation::present(recorded.inputs),
    }
}

fn requests(desired: &BTreeMap<ResourceId, Desired>, loaded: &Loaded) -> Vec<ObserveRequest> {
    let recorded = &loaded.state.resources;
    let gone = recorded.keys().filter(|id| !desired.contains_key(*id));
    desired
        .keys()
        .chain(gone)
        .map(|id| ObserveRequest {
            id: id.clone(),
            desired: desired.get(id).map(|wanted| wanted.inputs.clone()),
            recorded: recorded.get(id).cloned(),
        })
        .collect()
}

/// Turns a run's summary into the command's outcome: what failed, what was left, and what to type next.
pub(crate) fn outcome(app: &App, summary: &Summary, again: &str) -> Result<(), CommandError> {
    if summary.is_complete() {
        return Ok(());
    }
    let left = summary.skipped.len() + summary.not_started + summary.cut_off;
    let (done, failed) = (summary.succeeded.len(), summary.failed.len());
    let message = if failed == 0 {
        format!("stopped: {} done, {left} not", words::count(done, "action"))
    } else {
        format!("{failed} of {} failed", words::count(done + left + failed, "action"))
    };
    let exit = if summary.faulty {
        Exit::Bug
    } else if summary.unreachable {
        Exit::Unreachable
    } else {
        Exit::Partial
    };
    let mut error = CommandError::failed(message).exit(exit);
    error.output = report::summary_lines(summary);
    Err(error
        .hint("nothing that was done is lost")
        .hint(format!("look into the above, then go on with: {again}"))
        .hint(format!("state is kept in {}", app.store.describe())))
}
