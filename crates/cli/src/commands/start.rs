//! `start cluster`: starts the machines of a stopped cluster as they were, and shows what else is pending.

use std::collections::BTreeSet;

use clap::Args;
use engine::{Limits, Summary};
use plan::Plan;
use resource::ResourceId;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::compose::{AgentOptions, compose};
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::operation;
use crate::output::{self, Format};
use crate::power::{self, To};
use crate::rule_files::RuleFiles;
use crate::suggestion::Suggestion;
use crate::update::{self, UpdateOptions};
use crate::{facts, health, policy_check, prepare, resolving};

/// Arguments of `start cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    rules: RuleFiles,
}

/// What was started, as it is printed.
struct Started {
    resources: Vec<ResourceId>,
    /// Why the cluster is of no use yet.
    problem: Option<CommandError>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = &arguments.name.name;
    let rules = arguments.rules.read()?;
    let options = UpdateOptions { rules, rule_files: arguments.rules, ..UpdateOptions::default() };
    let started = start(app, name, &options).await?;
    // What is asked for beyond power is somebody's to decide.
    let compared = update::compare(app, name, &options, false).await;
    let pending = match (&started.problem, compared) {
        (_, Ok(compared)) => Some(compared.plan).filter(|plan| !plan.is_empty()),
        (Some(_), Err(_)) => None,
        (None, Err(error)) => return Err(error),
    };
    let shown = json!({"cluster": name, "started": started.resources, "pending": pending});
    output::data(app.format, &shown)?;
    if let Some(plan) = &pending {
        tell(app, plan, &options.command(name))?;
    }
    started.problem.map_or(Ok(Exit::Fine), Err)
}

/// Changes power, and waits until the cluster is of use.
async fn start(app: &App, name: &str, options: &UpdateOptions) -> Result<Started, CommandError> {
    let lease = operation::lock(app, name, "start cluster").await?;
    let loaded = operation::load(app, name).await?;
    facts::check_access(app, name, &loaded).await?;
    let loaded = facts::completed(app, name, loaded).await?;
    let mut resolved = resolving::stored(app, name, &loaded)?;
    let policy = policy_check::policy(&resolved, &loaded)?;
    let prepared = prepare::assets(app, &resolved, &loaded, false).await?;
    let composition = compose(app, prepared.agent.clone(), &AgentOptions::default());
    let cluster = operation::open(app, loaded, name, composition.handlers.clone()).await?;
    let (plan, desired) = power::plan(app, &cluster, To::On).await?;
    let plan = plan.with_rules(options.rules.digest());
    let resources = plan.changes.iter().map(|change| change.resource.clone()).collect();
    if plan.is_empty() {
        app.say(format!("All machines of cluster {name} that there are run."));
        return Ok(Started { resources, problem: None });
    }
    if app.format == Format::Text {
        update::show(app, &plan)?;
    }
    policy_check::plan(app, &policy, &plan, None, &options.rules)?;
    let running = operation::run(app, &cluster, &plan, &desired, lease, Limits::default());
    let summary = app.phase_until("run", running, Summary::is_complete).await?;
    let retry_command = options.rule_files.suggested(Suggestion::new("start cluster").word(name));
    operation::outcome(app, &summary, &retry_command.text())?;
    let recorded = &cluster.loaded.state.resources;
    resolved.machines.retain(|machine| recorded.contains_key(&model::ids::machine_config(&machine.name)));
    let waited = Box::pin(health::wait(app, &composition, &cluster, &resolved, &BTreeSet::new())).await;
    Ok(Started { resources, problem: waited.err() })
}

/// Shows what was not done.
fn tell(app: &App, plan: &Plan, command: &str) -> Result<(), CommandError> {
    if app.format == Format::Text {
        output::text(&format!(
            "\nStarting changes nothing but power. Something else is pending:\n\n{}",
            report::plan_text(plan)
        ))?;
    }
    app.say(format!("\nTo carry this out: {command}"));
    Ok(())
}
