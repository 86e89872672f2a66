//! `state mv`.

use std::collections::BTreeMap;

use clap::Args;
use plan::Plan;
use resource::{Desired, Digest, Recorded, ResourceId};

use super::record::{Edit, carry_out};
use super::recorded;
use crate::app::App;
use crate::arguments::Name;
use crate::error::{self, CommandError, Outcome};
use crate::exit::Exit;
use crate::open::{self, Open};
use crate::resolving;
use crate::rule_files::RuleFiles;

/// What is to have another id.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Id that it has, as `state list` names it
    #[arg(value_name = "FROM")]
    from: ResourceId,
    /// Id that it is to have: one that the documents ask for and that nothing is recorded of
    #[arg(value_name = "TO")]
    to: ResourceId,
    #[command(flatten)]
    rules: RuleFiles,
    /// Change the record without asking
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let Arguments { name, from, to, rules, yes } = arguments;
    let edit = Edit {
        verb: "mv",
        question: "Record it so?",
        name: name.name,
        wanted: vec![from.clone(), to.clone()],
        rules: rules.read()?,
        rule_files: rules,
        yes,
    };
    mv(app, edit, &from, &to).await
}

async fn mv(app: &App, edit: Edit, from: &ResourceId, to: &ResourceId) -> Outcome {
    let lease = edit.lock(app).await?;
    let open = open::cluster(app, &edit.name).await?;
    let desired = resolving::build(app, &open.resolved)?;
    let moved = moved(&open, &edit.name, &desired, from, to)?;
    let loaded = &open.cluster.loaded;
    let base = open.cluster.base(Digest::of_bytes(b""));
    let plan = Plan::moving(base, recorded(loaded, &edit.name, from)?, from, to).with_rules(edit.rules.digest());
    if carry_out(app, &open, &plan, &BTreeMap::from([(to.clone(), moved)]), &edit, lease).await? {
        return Box::pin(mv(app, Edit { yes: true, ..edit }, from, to)).await;
    }
    Ok(Exit::Fine)
}

/// What will be recorded as `to`, when that makes sense.
fn moved(
    open: &Open,
    cluster: &str,
    desired: &BTreeMap<ResourceId, Desired>,
    from: &ResourceId,
    to: &ResourceId,
) -> Result<Desired, CommandError> {
    let loaded = &open.cluster.loaded;
    let refused = |message: String, hint: String| Err(CommandError::failed(message).exit(Exit::Usage).hint(hint));
    let kept = recorded(loaded, cluster, from)?;
    if !open.composition.handlers.schemas().get(from.kind()).is_some_and(|schema| schema.kept_in_record) {
        let message =
            format!("{from} is the name of something that is there; a record with another id would be of nothing");
        let hint = format!("see what the documents would do about it: kubewright update cluster {cluster}");
        return refused(message, hint);
    }
    if from.kind() != to.kind() {
        let message = format!("{from} cannot be recorded as {to}: that is another kind");
        return refused(message, format!("name a {}/…", from.kind()));
    }
    if desired.contains_key(from) {
        let message = format!("the documents still ask for {from}: the next update would make it anew");
        return refused(message, format!("change the documents first: kubewright edit cluster {cluster}"));
    }
    // One that was interrupted between its two steps is recorded as both.
    if loaded.state.resources.get(to).is_some_and(|there| !is_same(there, kept)) {
        let message = format!("{to} is recorded already");
        return refused(message, format!("see it: kubewright state show {cluster} {to}"));
    }
    let Some(wanted) = desired.get(to) else {
        let alike = desired.keys().filter(|id| id.kind() == to.kind() && !loaded.state.resources.contains_key(*id));
        let hint = format!("change the documents first: kubewright edit cluster {cluster}");
        let message = format!("the documents do not ask for {to}: the next update would delete it");
        return Err(error::not_among(message, to.as_str(), alike.map(ResourceId::as_str), hint));
    };
    Ok(Desired { inputs: kept.inputs.clone(), lifecycle: kept.lifecycle, ..wanted.clone() })
}

/// Digests of secrets are keyed by the id, so that equal ones cannot be told; public halves can.
fn is_same(one: &Recorded, other: &Recorded) -> bool {
    (&one.inputs, &one.outputs) == (&other.inputs, &other.outputs) && one.secrets.keys().eq(other.secrets.keys())
}
