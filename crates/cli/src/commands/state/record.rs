//! What `state adopt`, `state forget` and `state mv` share: a plan that changes the record only, shown, judged and carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;
use engine::{Lease, Limits, Summary};
use plan::Plan;
use resource::{Desired, ResourceId};
use rules::UserRules;

use crate::app::App;
use crate::arguments::Name;
use crate::error::CommandError;
use crate::open::Open;
use crate::output::Format;
use crate::rule_files::RuleFiles;
use crate::suggestion::Suggestion;
use crate::{confirm, operation, policy_check, update};

/// What to change the record of.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    #[command(flatten)]
    name: Name,
    /// Which ones, as plans and `state list` name them
    #[arg(value_name = "KIND/NAME", required = true)]
    resources: Vec<ResourceId>,
    #[command(flatten)]
    rules: RuleFiles,
    /// Change the record without asking
    #[arg(short, long)]
    yes: bool,
}

impl Selection {
    /// What is to be done, with the user's rules read.
    pub(super) fn edit(self, verb: &'static str, question: &'static str) -> Result<Edit, CommandError> {
        let (rules, rule_files) = (self.rules.read()?, self.rules);
        Ok(Edit { verb, question, name: self.name.name, wanted: self.resources, rules, rule_files, yes: self.yes })
    }
}

/// A change of the record.
pub(super) struct Edit {
    /// The command's verb.
    pub(super) verb: &'static str,
    /// What somebody at a terminal is asked.
    pub(super) question: &'static str,
    /// The cluster's name.
    pub(super) name: String,
    /// The resources, as they were named.
    pub(super) wanted: Vec<ResourceId>,
    /// The user's rules.
    pub(super) rules: UserRules,
    /// Where those are written.
    pub(super) rule_files: RuleFiles,
    /// Nobody is asked.
    pub(super) yes: bool,
}

impl Edit {
    /// The right to do it, where nobody has to be asked first.
    pub(super) async fn lock(&self, app: &App) -> Result<Option<Arc<dyn Lease>>, CommandError> {
        if !self.yes {
            return Ok(None);
        }
        let lease = operation::lock(app, &self.name, &format!("state {}", self.verb)).await?;
        Ok(Some(lease))
    }
}

/// Shows a plan, and carries it out under a lease. Without one, true means that somebody typed yes.
pub(super) async fn carry_out(
    app: &App,
    open: &Open,
    plan: &Plan,
    desired: &BTreeMap<ResourceId, Desired>,
    edit: &Edit,
    lease: Option<Arc<dyn Lease>>,
) -> Result<bool, CommandError> {
    update::show(app, plan)?;
    let policy = policy_check::policy(&open.resolved, &open.cluster.loaded)?;
    policy_check::plan(app, &policy, plan, None, &edit.rules)?;
    let Edit { verb, question, name, wanted, .. } = edit;
    let Some(lease) = lease else {
        if app.format == Format::Text && confirm::ask(app, question)? {
            return Ok(true);
        }
        let command = wanted.iter().fold(Suggestion::new(&format!("state {verb}")).word(name), Suggestion::word);
        let command = edit.rule_files.suggested(command).flag("--yes", true);
        app.say(format!("\nNothing was changed. To do it: {}", command.text()));
        return Ok(false);
    };
    let running = operation::run(app, &open.cluster, plan, desired, lease, Limits::default());
    let summary = app.phase_until("run", running, Summary::is_complete).await?;
    operation::outcome(app, &summary, &format!("kubewright update cluster {name} --yes"))?;
    app.say(format!("What is there was not touched. See how it looks now: kubewright update cluster {name}"));
    Ok(false)
}
