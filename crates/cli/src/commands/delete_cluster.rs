//! `delete cluster`: everything that was made for it, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::Args;
use engine::{Lease, StoreError, Summary};
use plan::Change;
use reconcile::Policy;
use resource::Digest;
use rules::UserRules;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::compose::{AgentOptions, compose};
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::kubeconfig::Authority;
use crate::operation;
use crate::output::{self, Format};
use crate::rule_files::RuleFiles;
use crate::run_limits::RunLimits;
use crate::suggestion::Suggestion;
use crate::{confirm, facts, kubeconfig, policy_check, update};

/// Arguments of `delete cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Delete without asking
    #[arg(short, long)]
    yes: bool,
    /// Refuse a plan that deletes more resources than this
    #[arg(long, value_name = "N")]
    max_destroy: Option<usize>,
    #[command(flatten)]
    rules: RuleFiles,
    #[command(flatten)]
    limits: RunLimits,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let rules = arguments.rules.read()?;
    let options = DeleteOptions {
        yes: arguments.yes,
        max_destroy: arguments.max_destroy,
        rules,
        rule_files: arguments.rules,
        limits: arguments.limits,
        approved: None,
    };
    delete(app, &arguments.name.name, &options).await
}

/// How a cluster is deleted.
#[derive(Debug, Clone)]
struct DeleteOptions {
    yes: bool,
    max_destroy: Option<usize>,
    rules: UserRules,
    rule_files: RuleFiles,
    limits: RunLimits,
    /// What was shown when the user said yes; `None` where nobody was asked.
    approved: Option<Shown>,
}

/// What a user sees before saying yes: which cluster, by its lineage, and what happens to it.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    lineage: String,
    changes: Vec<Change>,
}

impl DeleteOptions {
    /// The command that carries out what is wished.
    fn command(&self, name: &str) -> String {
        let command = Suggestion::new("delete cluster").word(name).options("--max-destroy", self.max_destroy);
        self.limits.suggested(self.rule_files.suggested(command)).flag("--yes", true).text()
    }
}

async fn delete(app: &App, name: &str, options: &DeleteOptions) -> Outcome {
    let retry_command = &options.command(name);
    let lease = if options.yes { Some(operation::lock(app, name, "delete cluster").await?) } else { None };
    let loaded = match app.cluster(name).load().await {
        Err(StoreError::BeingRemoved { .. }) => return end_removal(app, name, lease, retry_command).await,
        loaded => operation::found(app, name, loaded).await?,
    };
    facts::check_access(app, name, &loaded).await?;
    let loaded = facts::completed(app, name, loaded).await?;
    let loaded = facts::with_unrecorded(app, name, loaded).await?;
    // What is deleted with its machine need not be reached, so no agent is needed.
    let composition = compose(app, None, &AgentOptions::default());
    let policy = Policy::of_deletion(name, &loaded);
    let cluster = operation::open(app, loaded, name, composition.handlers.clone()).await?;
    let desired = BTreeMap::new();
    let observed = cluster.observe(&desired).await;
    let plan =
        cluster.plan(&desired, Digest::of_bytes(b""), &observed, &BTreeSet::new())?.with_rules(options.rules.digest());
    let nothing_is_there = cluster.loaded.state.resources.is_empty() && plan.is_empty() && plan.report.is_empty();
    if nothing_is_there && app.format == Format::Text {
        output::text(&format!("Nothing of cluster {name} is there but its record.\n"))?;
    } else {
        update::show(app, &plan)?;
    }
    policy_check::plan(app, &policy, &plan, options.max_destroy, &options.rules)?;
    let shown = Shown { lineage: cluster.loaded.head.lineage.clone(), changes: plan.changes.clone() };
    let Some(lease) = lease else {
        if app.format == Format::Text && confirm::ask(app, "Delete all of this?")? {
            return Box::pin(delete(app, name, &DeleteOptions { yes: true, approved: Some(shown), ..options.clone() }))
                .await;
        }
        app.say(format!("\nNothing was changed. To delete the cluster: {retry_command}"));
        return Ok(Exit::Fine);
    };
    if options.approved.as_ref().is_some_and(|approved| *approved != shown) {
        drop(lease);
        app.say("\nSomething has moved since you were asked. This is what would be deleted now; nothing was yet.");
        return Box::pin(delete(app, name, &DeleteOptions { yes: false, approved: None, ..options.clone() })).await;
    }
    // Before anything goes: once the authority is forgotten, nobody can tell the cluster's entries from others.
    kubeconfig::remove(app, name, &Authority::recorded(&cluster));
    let summary = app
        .phase_until(
            "run",
            operation::run(app, &cluster, &plan, &desired, lease.clone(), options.limits.limits()),
            Summary::is_complete,
        )
        .await?;
    operation::outcome(app, &summary, retry_command)?;
    if plan.to_look_at_again().next().is_some() {
        return Err(CommandError::failed("some of the cluster could not be looked at, so it is not forgotten")
            .exit(Exit::Partial)
            .hint(format!("look into the above, then run again: {retry_command}")));
    }
    cluster.store.remove(&*lease).await?;
    app.say(format!("Cluster {name} is gone."));
    Ok(Exit::Fine)
}

/// The cluster is gone, and an earlier delete was interrupted while it removed the record.
async fn end_removal(app: &App, name: &str, lease: Option<Arc<dyn Lease>>, retry_command: &str) -> Outcome {
    let Some(lease) = lease else {
        let text = format!("Cluster {name} is gone but for its record, whose removal was interrupted.\n");
        output::print(app.format, &json!({"cluster": name, "changes": []}), || text)?;
        app.say(format!("\nNothing was changed. To remove the record: {retry_command}"));
        return Ok(Exit::Fine);
    };
    app.cluster(name).remove(&*lease).await?;
    app.say(format!("Cluster {name} is gone."));
    Ok(Exit::Fine)
}
