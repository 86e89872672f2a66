//! What `state adopt` and `state forget` share: a plan that changes the record only, shown, judged and carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::{Lease, Limits, Summary};
use plan::Plan;
use resource::{Desired, ResourceId};
use rules::UserRules;

use crate::app::App;
use crate::error::CommandError;
use crate::judge::Judge;
use crate::open::Open;
use crate::output::Format;
use crate::{confirm, operation, update};

/// How a change of the record is spoken of.
pub(super) struct Edit<'a> {
    /// The command's verb.
    pub(super) verb: &'static str,
    /// What somebody at a terminal is asked.
    pub(super) question: &'static str,
    /// The cluster's name.
    pub(super) name: &'a str,
    /// The resources that were named.
    pub(super) wanted: &'a BTreeSet<ResourceId>,
}

/// Shows a plan, and carries it out under a lease. Without one, true means that somebody typed yes.
pub(super) async fn carry_out(
    app: &App,
    open: &Open<'_>,
    plan: &Plan,
    desired: &BTreeMap<ResourceId, Desired>,
    edit: &Edit<'_>,
    rules: &UserRules,
    lease: Option<Arc<dyn Lease>>,
) -> Result<bool, CommandError> {
    update::show(app, plan)?;
    Judge::of(&open.resolved, &open.operation.loaded)?.plan(app, plan, None, rules)?;
    let Edit { verb, question, name, wanted } = edit;
    let Some(lease) = lease else {
        if app.format == Format::Text && confirm::ask(app, question)? {
            return Ok(true);
        }
        let ids: Vec<&str> = wanted.iter().map(ResourceId::as_str).collect();
        app.say(format!("\nNothing was changed. To do it: kubewright state {verb} {name} {} --yes", ids.join(" ")));
        return Ok(false);
    };
    let running = open.operation.run(plan, desired, lease, Limits::default());
    let summary = app.phase_until("run", running, Summary::is_complete).await?;
    operation::outcome(app, &summary, &format!("kubewright update cluster {name} --yes"))?;
    app.say(format!("What is there was not touched. See how it looks now: kubewright update cluster {name}"));
    Ok(false)
}
