//! What `update cluster` does, and `create`, `start` and `delete` with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{Lease, Loaded, Summary};
use model::Resolved;
use plan::Plan;
use resource::{Desired, ResourceId};

use crate::app::App;
use crate::compose::{Composition, compose};
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::judge::Judge;
use crate::operation::{self, Operation};
use crate::output::{self, Format};
use crate::passwords::{self, PasswordFiles};
use crate::{confirm, documents, ground, health, kubeconfig, kubectl, prepare, resolving, summary};

/// How an update is carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Change infrastructure without asking.
    pub(crate) yes: bool,
    /// Exit with 3 when changes are pending.
    pub(crate) detailed_exitcode: bool,
    /// How many resources may be deleted or replaced; any number without it.
    pub(crate) max_destroy: Option<usize>,
    /// What to type to go on after a failure.
    pub(crate) again: String,
}

/// What a cluster's stored documents ask for on its ground, as it is now.
pub(crate) async fn resolve(app: &App, name: &str, loaded: Loaded) -> Result<(Resolved, Loaded), CommandError> {
    let effective = documents::effective(&loaded.revision.documents)?;
    let ground = ground::stored(&loaded, &effective, &loaded.revision.documents)?;
    let changed = serde_json::to_value(&ground).is_ok_and(|value| value != loaded.revision.ground);
    let resolved = resolving::resolve(&loaded.head.lineage, effective, ground.clone())?;
    if !changed {
        return Ok((resolved, loaded));
    }
    // New allocations are kept before anything is made with them.
    let revision = documents::revision(app, loaded.revision.documents.clone(), &ground, Some(&loaded))?;
    let store = app.cluster(name);
    let digest = store.put_revision(&revision).await?;
    store.set_revision(&loaded, digest).await?;
    Ok((resolved, operation::load(app, name).await?))
}

/// Compares a cluster with its documents, and changes it if the user wants that.
pub(crate) async fn update(app: &App, name: &str, wish: &Wish) -> Outcome {
    let lease = if wish.yes { Some(app.store.lock(name, app.lock_info("update cluster")).await?) } else { None };
    let loaded = operation::load(app, name).await?;
    let (resolved, loaded) = resolve(app, name, loaded).await?;
    let desired = resolving::build(&resolved)?;
    let is_made = loaded.state.resources.contains_key(&model::ids::registry_logins(name));
    passwords::check(&resolved.cluster.spec.containerd.registry_credentials, is_made, &PasswordFiles)?;
    let judge = Judge::of(&resolved, &loaded)?;
    judge.documents(app)?;
    let prepared = prepare::assets(app, &resolved, &loaded, wish.yes).await?;
    let composition = compose(app, prepared.agent.clone());
    let operation = Operation::open(app, loaded, name, composition.handlers.clone()).await?.towards(judge.goal());
    let plan = app.phase("compared with what is there", operation.plan(name, &desired, prepared.digest())).await?;
    show(app, &plan)?;
    judge.plan(app, &plan, wish.max_destroy)?;
    prepared.mention(app);
    if plan.is_empty() {
        return finish_unchanged(app, &plan, &operation, &resolved, lease.is_some()).await;
    }
    let Some(lease) = lease else { return pending(app, name, wish, &plan).await };
    carry_out(app, wish, &plan, &desired, &operation, &composition, &resolved, lease).await
}

/// Prints a plan as the user wants it.
pub(crate) fn show(app: &App, plan: &Plan) -> Result<(), CommandError> {
    output::print(app.format, plan, || report::plan_text(plan))
}

async fn finish_unchanged(
    app: &App,
    plan: &Plan,
    operation: &Operation<'_>,
    resolved: &Resolved,
    changing: bool,
) -> Outcome {
    if changing {
        kubectl::beside(app, resolved);
        kubeconfig::export(app, operation, resolved).await?;
    }
    Ok(if plan.report.iter().any(is_unknown) { Exit::Unreachable } else { Exit::Fine })
}

fn is_unknown(line: &plan::ReportLine) -> bool {
    matches!(line.reason, plan::ReportReason::Unknown { .. })
}

/// The plan is shown and nothing is changed, unless the user types yes.
async fn pending(app: &App, name: &str, wish: &Wish, plan: &Plan) -> Outcome {
    if app.format == Format::Text && confirm::ask(app, "Carry out these changes?")? {
        // Planned again under the lock: what was shown may have moved while the user was reading.
        return Box::pin(update(app, name, &Wish { yes: true, ..wish.clone() })).await;
    }
    if app.format == Format::Text {
        app.say(format!("\nNothing was changed. To carry this out: {}", wish.again));
    }
    let changes = !plan.is_empty();
    Ok(if wish.detailed_exitcode && changes { Exit::Pending } else { Exit::Fine })
}

#[expect(clippy::too_many_arguments, reason = "the last step of the pipeline brings everything together")]
async fn carry_out(
    app: &App,
    wish: &Wish,
    plan: &Plan,
    desired: &BTreeMap<ResourceId, Desired>,
    operation: &Operation<'_>,
    composition: &Composition,
    resolved: &Resolved,
    lease: Arc<dyn Lease>,
) -> Outcome {
    let epoch = lease.epoch();
    let began = std::time::Instant::now();
    let summary = app.phase_until("run", operation.run(plan, desired, lease), Summary::is_complete).await?;
    operation::outcome(app, &summary, &wish.again)?;
    kubeconfig::export(app, operation, resolved).await?;
    let healthy = health::probe_dns(composition, operation, resolved, epoch);
    app.phase("cluster DNS answers on every machine", healthy).await?;
    let settled = health::settle(composition, operation, resolved);
    app.phase("nodes and system pods ready", settled).await?;
    summary::print(app, resolved, &summary, began.elapsed());
    Ok(Exit::Fine)
}
