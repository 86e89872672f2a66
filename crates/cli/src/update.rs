//! What `update cluster` does, and `create`, `start` and `delete` with it.

mod drift;
mod look;
mod saved;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use engine::{Lease, Limits, Loaded, Summary};
use model::Resolved;
use plan::{Change, Plan};
use resource::{Desired, Digest, ResourceId};
use rules::UserRules;

use self::look::Look;
use crate::app::App;
use crate::compose::{Care, Composition, compose};
use crate::error::{self, CommandError, Outcome};
use crate::exit::Exit;
use crate::judge::Judge;
use crate::operation::{self, Operation};
use crate::output::{self, Format};
use crate::passwords::{self, PasswordFiles};
use crate::{confirm, documents, ground, health, kubeconfig, kubectl, prepare, resolving, summary};

pub(crate) use self::saved::SavedPlan;

/// What of a cluster is planned, and from what.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// The resources that a plan is limited to; all of them without any.
    pub(crate) targets: BTreeSet<ResourceId>,
    /// What was recorded is taken for what is there.
    pub(crate) recorded_only: bool,
    /// With the time that each change would take.
    pub(crate) timeline: bool,
    /// Only what was changed from outside is of interest.
    pub(crate) drift_only: bool,
}

/// How an update is carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Change infrastructure without asking.
    pub(crate) yes: bool,
    /// What is looked at.
    pub(crate) view: View,
    /// Where the plan is saved.
    pub(crate) out: Option<PathBuf>,
    /// The plan to carry out.
    pub(crate) saved: Option<SavedPlan>,
    /// How much runs at once, and for how long.
    pub(crate) limits: Limits,
    /// Exit with 3 when changes are pending.
    pub(crate) detailed_exitcode: bool,
    /// How many resources may be deleted or replaced; any number without it.
    pub(crate) max_destroy: Option<usize>,
    /// The user's own rules.
    pub(crate) rules: UserRules,
    /// How machines are looked at and treated.
    pub(crate) care: Care,
    /// What to type to go on after a failure.
    pub(crate) again: String,
}

/// How far an update has come.
#[derive(Debug, Clone, Default)]
struct Progress {
    look: Look,
    /// The changes that somebody has said yes to.
    approved: Option<Vec<Change>>,
}

/// What follows a pass.
enum Next {
    /// Nothing.
    Exit(Exit),
    /// Another pass.
    Pass(Progress),
}

/// What a cluster's stored documents ask for on its ground, as it is now.
async fn resolve(app: &App, name: &str, loaded: Loaded) -> Result<(Resolved, Loaded), CommandError> {
    let (resolved, ground) = resolving::stored(app, name, &loaded)?;
    if serde_json::to_value(&ground).is_ok_and(|value| value == loaded.revision.ground) {
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
///
/// What cannot be looked at because machines are off is looked at again when they are on: first the machines, then, when
/// its API answers, the cluster.
pub(crate) async fn update(app: &App, name: &str, wish: &Wish) -> Outcome {
    let mut progress = Progress::default();
    loop {
        match Box::pin(pass(app, name, wish, progress)).await? {
            Next::Exit(exit) => return Ok(exit),
            Next::Pass(further) => progress = further,
        }
    }
}

async fn pass(app: &App, name: &str, wish: &Wish, progress: Progress) -> Result<Next, CommandError> {
    let changing = wish.yes || progress.approved.is_some() || progress.look != Look::First;
    let lease = if changing { Some(operation::lock(app, name, "update cluster").await?) } else { None };
    let loaded = operation::load(app, name).await?;
    ground::at_home(app, name, &loaded).await?;
    let (resolved, loaded) = resolve(app, name, loaded).await?;
    let desired = resolving::build(&resolved)?;
    known_machines(&resolved, &wish.care.forget_etcd_data)?;
    let is_made = loaded.state.resources.contains_key(&model::ids::registry_logins(name));
    passwords::check(&resolved.cluster.spec.containerd.registry_credentials, is_made, &PasswordFiles)?;
    let judge = Judge::of(&resolved, &loaded)?;
    judge.documents(app)?;
    if changing {
        kubeconfig::check(app, &loaded, name)?;
    }
    let prepared = prepare::assets(app, &resolved, &loaded, changing).await?;
    let composition = compose(app, prepared.agent.clone(), &wish.care);
    let operation = Operation::open(app, loaded, name, composition.handlers.clone()).await?.towards(judge.goal());
    let plan = wish.view.plan(app, name, &operation, &desired, prepared.digest()).await?;
    let plan = plan.judged_by(wish.rules.digest());
    if wish.view.drift_only {
        return drift::show(app, &plan).map(Next::Exit);
    }
    if let Some(saved) = &wish.saved {
        saved.check(&plan)?;
    }
    let site = Site { app, wish, resolved: &resolved, operation: &operation, composition: &composition };
    if progress.look.shows(&plan, app.format) {
        wish.view.show(app, &plan).await?;
    }
    judge.plan(app, &plan, wish.max_destroy, &wish.rules)?;
    prepared.mention(app);
    match lease {
        None if plan.is_empty() && wish.out.is_none() => Ok(Next::Exit(unchanged(&plan))),
        None => site.pending(name, progress.look, &plan),
        Some(_) if plan.is_empty() => site.finish(progress.look, &plan).await,
        Some(lease) if wish.yes || progress.approved.as_ref() == Some(&plan.changes) => {
            site.carry_out(progress.look, &plan, &desired, lease).await
        }
        Some(_) => {
            if progress.approved.is_some() {
                app.say("\nSomething has moved meanwhile: these are not the changes that you said yes to.");
            }
            site.pending(name, progress.look, &plan)
        }
    }
}

impl View {
    async fn show(&self, app: &App, plan: &Plan) -> Result<(), CommandError> {
        if self.timeline { timeline::show(app, plan).await } else { show(app, plan) }
    }

    /// The plan, as far as it is of interest.
    async fn plan(
        &self,
        app: &App,
        name: &str,
        operation: &Operation<'_>,
        desired: &BTreeMap<ResourceId, Desired>,
        assets: Digest,
    ) -> Result<Plan, CommandError> {
        self.known_targets(name, operation, desired)?;
        let observed = if self.recorded_only {
            app.say("Nothing was looked at: this preview takes what was recorded for what is there.");
            operation.recorded_for_seen(desired)
        } else {
            operation.look(desired).await?
        };
        operation.plan(name, desired, assets, &observed, &self.targets)
    }

    /// Refuses targets that are neither desired nor recorded.
    fn known_targets(
        &self,
        name: &str,
        operation: &Operation<'_>,
        desired: &BTreeMap<ResourceId, Desired>,
    ) -> Result<(), CommandError> {
        let known: BTreeSet<&ResourceId> = desired.keys().chain(operation.loaded.state.resources.keys()).collect();
        let Some(unknown) = self.targets.iter().find(|target| !known.contains(target)) else { return Ok(()) };
        let known = known.into_iter().map(ResourceId::as_str);
        let all = format!("see all of them: kubewright update cluster {name} -o json");
        Err(error::not_among(format!("there is no resource {unknown}"), unknown.as_str(), known, all))
    }
}

/// Refuses names of machines that are none of the cluster's control planes.
fn known_machines(resolved: &Resolved, names: &BTreeSet<String>) -> Result<(), CommandError> {
    let known: Vec<&str> = resolved.control_planes().map(|machine| machine.name.as_str()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(CommandError::failed(format!("there is no control plane {unknown}"))
            .exit(Exit::Usage)
            .hint(format!("there are: {}", known.join(", ")))),
    }
}

/// Prints a plan as the user wants it.
pub(crate) fn show(app: &App, plan: &Plan) -> Result<(), CommandError> {
    output::print(app.format, plan, || report::plan_text(plan))
}

fn unchanged(plan: &Plan) -> Exit {
    if plan.report.iter().any(|line| line.reason.is_unknown()) { Exit::Unreachable } else { Exit::Fine }
}

fn pending_exit(wish: &Wish, plan: &Plan) -> Exit {
    if wish.detailed_exitcode && !plan.is_empty() { Exit::Pending } else { Exit::Fine }
}

/// Where a plan is carried out.
struct Site<'a> {
    app: &'a App,
    wish: &'a Wish,
    resolved: &'a Resolved,
    operation: &'a Operation<'a>,
    composition: &'a Composition,
}

impl Site<'_> {
    /// The plan is shown and nothing is changed, unless the user types yes.
    fn pending(&self, name: &str, look: Look, plan: &Plan) -> Result<Next, CommandError> {
        let (app, wish) = (self.app, self.wish);
        if let Some(path) = &wish.out {
            saved::write(app, plan, path)?;
            return Ok(Next::Exit(pending_exit(wish, plan)));
        }
        if app.format == Format::Text && confirm::ask(app, &format!("Carry out these changes on cluster {name}?"))? {
            return Ok(Next::Pass(Progress { look, approved: Some(plan.changes.clone()) }));
        }
        if app.format == Format::Text {
            app.say(format!("\nNothing was changed. To carry this out: {}", wish.again));
        }
        Ok(Next::Exit(pending_exit(wish, plan)))
    }

    /// There is nothing to do, as far as could be seen.
    async fn finish(&self, look: Look, plan: &Plan) -> Result<Next, CommandError> {
        kubectl::beside(self.app, self.resolved);
        kubeconfig::export_if_possible(self.app, self.operation, self.resolved).await;
        if look == Look::Machines {
            self.healthy().await?;
            return Ok(Next::Pass(Progress { look: Look::Cluster, approved: None }));
        }
        Ok(Next::Exit(unchanged(plan)))
    }

    async fn carry_out(
        &self,
        look: Look,
        plan: &Plan,
        desired: &BTreeMap<ResourceId, Desired>,
        lease: Arc<dyn Lease>,
    ) -> Result<Next, CommandError> {
        let app = self.app;
        let began = std::time::Instant::now();
        let running = self.operation.run(plan, desired, lease, self.wish.limits.clone());
        let summary = app.phase_until("run", running, Summary::is_complete).await?;
        operation::outcome(app, &summary, &self.wish.again)?;
        // What was approved is done; what could not be seen then is another plan's.
        let next = look.after(plan).filter(|_| self.wish.saved.is_none());
        if next == Some(Look::Machines) {
            return Ok(Next::Pass(Progress { look: Look::Machines, approved: None }));
        }
        let context = kubeconfig::export_if_possible(app, self.operation, self.resolved).await;
        self.healthy().await?;
        if let Some(look) = next {
            return Ok(Next::Pass(Progress { look, approved: None }));
        }
        summary::print(app, self.resolved, &summary, context, began.elapsed());
        Ok(Next::Exit(Exit::Fine))
    }

    /// Waits until the cluster is of use.
    async fn healthy(&self) -> Result<(), CommandError> {
        let dns = health::probe_dns(self.composition, self.operation, self.resolved);
        self.app.phase("cluster DNS answers on every machine", dns).await?;
        let settled = health::settle(self.composition, self.operation, self.resolved);
        self.app.phase("nodes and system pods ready", settled).await.map(drop)
    }
}
