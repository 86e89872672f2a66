//! Loads and opens clusters for commands, and carries plans out where the user sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use credentials::Vault;
use engine::runner::{self, Summary};
use engine::{Handlers, Lease, Limits, Loaded, Revision, RevisionError, StoreError};
use plan::Plan;
use reconcile::{Observations, OpenCluster, RunContext};
use report::words;
use resource::{Desired, Digest, ResourceId};

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::run_log::RunLog;
use crate::system::{SystemClock, SystemRandomness};

/// Reads what is stored of a cluster; a cluster that isn't there is an error that names those that are.
pub(crate) async fn load(app: &App, name: &str) -> Result<Loaded, CommandError> {
    found(app, name, app.cluster(name).load().await).await
}

/// The same of what loading it gave.
pub(crate) async fn found(
    app: &App,
    name: &str,
    loaded: Result<Option<Loaded>, StoreError>,
) -> Result<Loaded, CommandError> {
    match loaded {
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
    error.hint(format!("{known}; to make it: kubewright create cluster {name}"))
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

/// Opens a cluster with the handlers that will work on it.
pub(crate) async fn open(
    app: &App,
    loaded: Loaded,
    name: &str,
    handlers: Handlers,
) -> Result<OpenCluster, CommandError> {
    let vault = open_vault(app, name).await?;
    Ok(OpenCluster::new(app.cluster(name), loaded, vault, handlers, Arc::new(SystemClock)).await?)
}

/// Observes everything that is desired or recorded, as a phase that the user sees.
pub(crate) async fn observe(
    app: &App,
    cluster: &OpenCluster,
    desired: &BTreeMap<ResourceId, Desired>,
) -> Result<Observations, CommandError> {
    let observing = async { Ok::<_, CommandError>(cluster.observe(desired).await) };
    app.phase("compared with what is there", observing).await
}

/// Carries a plan out under `lease`, and folds its journal into the state.
pub(crate) async fn run(
    app: &App,
    cluster: &OpenCluster,
    plan: &Plan,
    desired: &BTreeMap<ResourceId, Desired>,
    lease: Arc<dyn Lease>,
    limits: Limits,
) -> Result<Summary, CommandError> {
    let _working = app.stop.working();
    let run = runner::new_run_id(&SystemClock);
    let context = RunContext {
        lease,
        limits,
        who: app.environment.who.clone(),
        command: app.environment.command.clone(),
        randomness: Arc::new(SystemRandomness),
        events: Arc::new(RunLog::open(app, &plan.base.cluster, &run)),
        drain: app.stop.drain.clone(),
        abort: app.stop.abort.clone(),
        run,
    };
    Box::pin(cluster.run(plan, desired, context)).await.map_err(in_a_run)
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

/// Turns a run's summary into the command's outcome: what failed, what was left, and what to type next.
pub(crate) fn outcome(app: &App, summary: &Summary, retry_command: &str) -> Result<(), CommandError> {
    if summary.is_complete() {
        return Ok(());
    }
    let left = summary.skipped.len() + summary.not_started + summary.aborted;
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
    } else if failed == 0 && done == 0 && summary.aborted == 0 {
        Exit::INTERRUPTED
    } else {
        Exit::Partial
    };
    let mut error = CommandError::failed(message).exit(exit);
    error.output = report::summary_lines(summary);
    Err(error
        .hint("nothing that was done is lost")
        .hint(format!("look into the above, then go on with: {retry_command}"))
        .hint(format!("state is kept in {}", app.store.describe())))
}
