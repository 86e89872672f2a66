//! `stop cluster`: powers a cluster's machines off, keeps their data, and remembers who wanted it.

use clap::Args;
use engine::{Limits, Summary};
use resource::ResourceId;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::compose::{AgentOptions, compose};
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::operation;
use crate::output::Format;
use crate::power::{self, To};
use crate::{confirm, facts, output};

/// Arguments of `stop cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Power off without asking on a terminal
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    if !arguments.yes && app.format == Format::Text && !is_meant(app, &name).await? {
        app.say(format!("\nNothing was changed. To stop the cluster: kubewright stop cluster {name} --yes"));
        return Ok(Exit::Fine);
    }
    let lease = operation::lock(app, &name, "stop cluster").await?;
    let loaded = operation::load(app, &name).await?;
    facts::check_access(app, &name, &loaded).await?;
    let loaded = facts::completed(app, &name, loaded).await?;
    let composition = compose(app, None, &AgentOptions::default());
    let cluster = operation::open(app, loaded, &name, composition.handlers.clone()).await?;
    let (plan, desired) = power::plan(app, &cluster, To::Off).await?;
    if !plan.is_empty() {
        let running = operation::run(app, &cluster, &plan, &desired, lease, Limits::default());
        let summary = app.phase_until("machines stopped", running, Summary::is_complete).await?;
        operation::outcome(app, &summary, &format!("kubewright stop cluster {name}"))?;
    }
    let stopped: Vec<&ResourceId> = plan.changes.iter().map(|change| &change.resource).collect();
    output::data(app.format, &json!({"cluster": name, "stopped": stopped}))?;
    if stopped.is_empty() {
        app.say(format!("No machine of cluster {name} runs."));
        return Ok(Exit::Fine);
    }
    let names: Vec<&str> = stopped.iter().map(|id| id.name().rsplit('/').next().unwrap_or_default()).collect();
    app.say(format!(
        "Stopped {}. Their data is kept; start them with: kubewright start cluster {name}",
        names.join(", ")
    ));
    Ok(Exit::Fine)
}

/// Asks before the lock is taken: who thinks about it keeps nobody else from working.
async fn is_meant(app: &App, name: &str) -> Result<bool, CommandError> {
    operation::load(app, name).await?;
    confirm::is_meant(app, &format!("Power off all machines of cluster {name}? Their data is kept."))
}
