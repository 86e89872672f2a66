//! What `update cluster` does, and `create`, `start` and `delete` with it.

mod compare;
mod drift;
mod phase;
mod saved;
mod timeline;
mod unreached;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use engine::{Lease, Loaded, Summary};
use plan::{Change, Plan, ReportReason};
use resource::ResourceId;
use rules::UserRules;

use self::compare::Compared;
use self::phase::Phase;
use crate::app::App;
use crate::compose::AgentOptions;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::operation;
use crate::output::{self, Format};
use crate::rule_files::RuleFiles;
use crate::run_limits::RunLimits;
use crate::suggestion::Suggestion;
use crate::{confirm, health, kubeconfig, kubectl, obstacles, policy_check, proxies, reach, summary};

pub(crate) use self::compare::compare;
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
pub(crate) struct UpdateOptions {
    /// Change infrastructure without asking.
    pub(crate) yes: bool,
    /// What is looked at.
    pub(crate) view: View,
    /// Where the plan is saved.
    pub(crate) out: Option<PathBuf>,
    /// The plan to carry out.
    pub(crate) saved: Option<SavedPlan>,
    /// How much runs at once, and for how long.
    pub(crate) limits: RunLimits,
    /// Exit with 3 when changes are pending.
    pub(crate) detailed_exitcode: bool,
    /// How many resources may be deleted or replaced; any number without it.
    pub(crate) max_destroy: Option<usize>,
    /// The user's own rules.
    pub(crate) rules: UserRules,
    /// Where those are written.
    pub(crate) rule_files: RuleFiles,
    /// How machines are looked at and treated.
    pub(crate) agent_options: AgentOptions,
    /// The documents were changed just now, whatever becomes of the plan.
    pub(crate) is_revised: bool,
    /// Install what this host lacks.
    pub(crate) setup_host: bool,
    /// Whose documents are meant: it is refused when they are others by then.
    pub(crate) base: Option<Loaded>,
}

impl UpdateOptions {
    /// The command that carries out what is wished: what follows a preview, and a failure.
    ///
    /// A plan of a file is not named again: whatever a run did before it failed made it stale.
    pub(crate) fn command(&self, name: &str) -> String {
        let command = Suggestion::new("update cluster").word(name).options("--target", &self.view.targets);
        let command = command.flag("--timeline", self.view.timeline);
        let command = self.limits.suggested(command);
        let command = command.flag("--detailed-exitcode", self.detailed_exitcode);
        let command = self.rule_files.suggested(command.options("--max-destroy", self.max_destroy));
        let command = command
            .flag("--deep", self.agent_options.deep)
            .options("--forget-etcd-data", &self.agent_options.forget_etcd_data);
        command.flag("--yes", true).text()
    }
}

/// How far an update has come.
#[derive(Debug, Clone, Default)]
struct Progress {
    phase: Phase,
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

/// Compares a cluster with its documents, and changes it if the user wants that.
///
/// What cannot be looked at because machines are off is looked at again when they are on: first the machines, then, when
/// its API answers, the cluster.
pub(crate) async fn update(app: &App, name: &str, options: &UpdateOptions) -> Outcome {
    let mut progress = Progress::default();
    loop {
        match Box::pin(pass(app, name, options, progress)).await? {
            Next::Exit(exit) => return Ok(exit),
            Next::Pass(further) => progress = further,
        }
    }
}

async fn pass(app: &App, name: &str, options: &UpdateOptions, progress: Progress) -> Result<Next, CommandError> {
    let changing = options.yes || progress.approved.is_some() || progress.phase != Phase::First;
    let lease = if changing { Some(operation::lock(app, name, "update cluster").await?) } else { None };
    if options.setup_host && progress.phase == Phase::First {
        set_up(app, name, options, changing).await?;
    }
    let compared = compare(app, name, options, changing).await?;
    let plan = &compared.plan;
    if options.view.drift_only {
        return drift::show(app, plan).map(Next::Exit);
    }
    if let Some(saved) = &options.saved {
        saved.check(plan)?;
    }
    if progress.phase.shows(plan, app.format) {
        if let Some(title) = progress.phase.title(plan) {
            app.say(title);
        }
        options.view.show(app, plan).await?;
    }
    policy_check::plan(app, &compared.policy, plan, options.max_destroy, &options.rules)?;
    if options.out.is_none() && options.saved.is_none() && !options.view.recorded_only {
        progress.phase.foretell(app, plan);
    }
    compared.prepared.mention(app);
    obstacles::warn(app, &compared.obstacles);
    if !changing {
        kubeconfig::foretell(app, &compared.cluster.loaded, name);
    }
    compared.mention_edition(app, name);
    let (site, phase) = (Site { app, options }, progress.phase);
    match lease {
        None if plan.is_empty() && options.out.is_none() => Ok(Next::Exit(unchanged(plan))),
        None => site.pending(name, phase, plan),
        Some(_) if plan.is_empty() => site.finish(&compared, phase).await,
        Some(lease) if options.yes || progress.approved.as_ref() == Some(&plan.changes) => {
            let compared = compared.kept(app, name, options, &*lease).await?;
            site.carry_out(&compared, phase, lease).await
        }
        Some(_) => {
            if progress.approved.is_some() {
                app.say("\nSomething has moved meanwhile: these are not the changes that you said yes to.");
            }
            site.pending(name, phase, plan)
        }
    }
}

/// Installs what this host lacks when the plan is carried out, after everything that can refuse it; else says what that would be.
async fn set_up(app: &App, name: &str, options: &UpdateOptions, changing: bool) -> Result<(), CommandError> {
    if !obstacles::lacks_programs(app) {
        return Ok(());
    }
    if !changing {
        obstacles::foretell_set_up(app);
        return Ok(());
    }
    let foreseen = compare(app, name, options, false).await?;
    policy_check::plan(app, &foreseen.policy, &foreseen.plan, options.max_destroy, &options.rules)?;
    obstacles::refuse(foreseen.obstacles.iter().filter(|finding| !finding.can_be_installed))?;
    app.phase("host set up", obstacles::set_up(app)).await
}

/// Prints a plan as the user wants it.
pub(crate) fn show(app: &App, plan: &Plan) -> Result<(), CommandError> {
    output::print(app.format, plan, || report::plan_text(plan))
}

/// How a run ends that has nothing more to do.
fn unchanged(plan: &Plan) -> Exit {
    let mut reasons = plan.report.iter().map(|line| &line.reason);
    if reasons.clone().any(ReportReason::is_unknown) {
        Exit::Unreachable
    } else if reasons.any(|reason| reason.held_by().is_some()) {
        Exit::Partial
    } else {
        Exit::Fine
    }
}

fn pending_exit(options: &UpdateOptions, plan: &Plan) -> Exit {
    if options.detailed_exitcode && !plan.is_empty() { Exit::Pending } else { Exit::Fine }
}

/// Where a plan is carried out.
struct Site<'a> {
    app: &'a App,
    options: &'a UpdateOptions,
}

impl Site<'_> {
    /// The plan is shown and nothing is changed, unless the user types yes.
    fn pending(&self, name: &str, phase: Phase, plan: &Plan) -> Result<Next, CommandError> {
        let (app, options) = (self.app, self.options);
        if let Some(path) = &options.out {
            saved::write(app, plan, path)?;
            return Ok(Next::Exit(pending_exit(options, plan)));
        }
        if app.format == Format::Text && confirm::ask(app, &format!("Carry out these changes on cluster {name}?"))? {
            return Ok(Next::Pass(Progress { phase, approved: Some(plan.changes.clone()) }));
        }
        if app.format == Format::Text {
            let revision = plan.base.revision.short();
            let left = if options.is_revised {
                format!("Revision {revision} is the wanted one now, and nothing else was changed.")
            } else {
                "Nothing was changed.".to_owned()
            };
            app.say(format!("\n{left} To carry this out: {}", options.command(name)));
        }
        Ok(Next::Exit(pending_exit(options, plan)))
    }

    /// There is nothing to do, as far as could be seen.
    async fn finish(&self, compared: &Compared, phase: Phase) -> Result<Next, CommandError> {
        kubectl::beside(self.app, &compared.resolved);
        kubeconfig::export_if_possible(self.app, &compared.cluster, &compared.resolved).await;
        if self.options.saved.is_some() {
            return Ok(Next::Exit(self.saved_is_done(compared)));
        }
        if phase == Phase::Machines {
            self.healthy(compared).await?;
            return Ok(Next::Pass(Progress { phase: Phase::Cluster, approved: None }));
        }
        if phase == Phase::Cluster {
            unreached::tell(self.app, &compared.plan, &self.options.command(&compared.plan.base.cluster));
        }
        Ok(Next::Exit(unchanged(&compared.plan)))
    }

    async fn carry_out(&self, compared: &Compared, phase: Phase, lease: Arc<dyn Lease>) -> Result<Next, CommandError> {
        let (app, plan) = (self.app, &compared.plan);
        let began = std::time::Instant::now();
        let running =
            operation::run(app, &compared.cluster, plan, &compared.desired, lease, self.options.limits.limits());
        let summary = app.phase_until("run", running, Summary::is_complete).await?;
        operation::outcome(app, &summary, &self.options.command(&plan.base.cluster))?;
        // What was approved is done; what could not be seen then is another plan's.
        let next = phase.after(plan).filter(|_| self.options.saved.is_none());
        if next == Some(Phase::Machines) {
            return Ok(Next::Pass(Progress { phase: Phase::Machines, approved: None }));
        }
        let context = kubeconfig::export_if_possible(app, &compared.cluster, &compared.resolved).await;
        self.healthy(compared).await?;
        if let Some(phase) = next {
            return Ok(Next::Pass(Progress { phase, approved: None }));
        }
        summary::print(app, &compared.resolved, &summary, context, began.elapsed());
        if self.options.saved.is_some() {
            return Ok(Next::Exit(self.saved_is_done(compared)));
        }
        unreached::tell(app, plan, &self.options.command(&plan.base.cluster));
        Ok(Next::Exit(unchanged(plan)))
    }

    /// How a saved plan ends. It has one phase: what it could not be made for is another plan's.
    fn saved_is_done(&self, compared: &Compared) -> Exit {
        let plan = &compared.plan;
        if !unreached::tell_after_saved(self.app, plan) {
            return Exit::Fine;
        }
        // What was off is on now: only another plan is missing.
        let is_unreached = !unreached::machines(plan, &compared.resolved).is_empty();
        if is_unreached && unchanged(plan) == Exit::Unreachable { Exit::Unreachable } else { Exit::Partial }
    }

    /// Waits until the cluster is of use. Machines that nobody could look at are not this run's.
    async fn healthy(&self, compared: &Compared) -> Result<(), CommandError> {
        proxies::mention(self.app, &reach::known(&compared.cluster, &compared.resolved));
        let unreached = unreached::machines(&compared.plan, &compared.resolved);
        health::wait(self.app, &compared.composition, &compared.cluster, &compared.resolved, &unreached).await
    }
}
