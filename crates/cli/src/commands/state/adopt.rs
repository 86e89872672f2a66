//! `state adopt`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use engine::Loaded;
use plan::Plan;
use resource::{Desired, Digest, Observation, ResourceId};
use rules::UserRules;

use super::record::{Edit, carry_out};
use crate::app::App;
use crate::arguments::Name;
use crate::error::{self, CommandError, Outcome};
use crate::exit::Exit;
use crate::operation::Observations;
use crate::rule_files::RuleFiles;
use crate::{open, resolving};

/// What to adopt.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Which ones, as the plan of an update names them
    #[arg(value_name = "KIND/NAME", required = true)]
    resources: Vec<ResourceId>,
    #[command(flatten)]
    rules: RuleFiles,
    /// Record them without asking
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let rules = arguments.rules.read()?;
    let wanted = arguments.resources.into_iter().collect();
    adopt(app, &arguments.name.name, &wanted, &rules, arguments.yes).await
}

async fn adopt(app: &App, name: &str, wanted: &BTreeSet<ResourceId>, rules: &UserRules, yes: bool) -> Outcome {
    let lease = if yes { Some(app.store.lock(name, app.lock_info("state adopt")).await?) } else { None };
    let open = open::cluster(app, name).await?;
    let desired = resolving::build(&open.resolved)?;
    let observed = open.operation.look(&desired).await?;
    let found = found(&observed, &open.operation.loaded, name, wanted)?;
    let base = open.operation.base(name, Digest::of_bytes(b""));
    let plan = Plan::adopting(base, found.values()).judged_by(rules.digest());
    let edit = Edit { verb: "adopt", question: "Record all of this?", name, wanted };
    if carry_out(app, &open, &plan, &found, &edit, rules, lease).await? {
        return Box::pin(adopt(app, name, wanted, rules, true)).await;
    }
    Ok(Exit::Fine)
}

/// What is wanted, as it was seen.
fn found(
    observed: &Observations,
    loaded: &Loaded,
    name: &str,
    wanted: &BTreeSet<ResourceId>,
) -> Result<BTreeMap<ResourceId, Desired>, CommandError> {
    let orphans: BTreeMap<&ResourceId, &serde_json::Value> = observed
        .iter()
        .filter_map(|(id, observation)| match observation {
            Observation::Orphan { attributes } => Some((id, attributes)),
            _ => None,
        })
        .collect();
    let not_found = |id: &ResourceId| {
        let message = format!("{id} is nothing that carries our marker and is neither wanted nor recorded");
        let known = orphans.keys().map(|id| id.as_str());
        error::not_among(message, id.as_str(), known, format!("see what is: kubewright update cluster {name}"))
    };
    let adopted = wanted.iter().map(|id| {
        let attributes = orphans.get(id).ok_or_else(|| not_found(id))?;
        Ok((id.clone(), as_found(id, attributes, loaded)))
    });
    adopted.collect()
}

/// It disappears with what others of its kind disappear with.
fn as_found(id: &ResourceId, attributes: &serde_json::Value, loaded: &Loaded) -> Desired {
    let alike = loaded.state.resources.iter().find(|(other, _)| other.kind() == id.kind());
    let contained_in = alike.and_then(|(_, recorded)| recorded.contained_in.clone());
    Desired { contained_in, ..Desired::new(id.clone(), attributes.clone()) }
}
