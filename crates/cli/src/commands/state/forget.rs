//! `state forget`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use plan::Plan;
use resource::{Digest, ResourceId};
use rules::UserRules;

use super::record::{Edit, carry_out};
use super::recorded;
use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::open;
use crate::rule_files::RuleFiles;

/// What to forget.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Which ones, as `state list` names them; what is contained in them is forgotten too
    #[arg(value_name = "KIND/NAME", required = true)]
    resources: Vec<ResourceId>,
    #[command(flatten)]
    rules: RuleFiles,
    /// Forget them without asking
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let rules = arguments.rules.read()?;
    let wanted = arguments.resources.into_iter().collect();
    forget(app, &arguments.name.name, &wanted, &rules, arguments.yes).await
}

async fn forget(app: &App, name: &str, wanted: &BTreeSet<ResourceId>, rules: &UserRules, yes: bool) -> Outcome {
    let lease = if yes { Some(app.store.lock(name, app.lock_info("state forget")).await?) } else { None };
    let open = open::cluster(app, name).await?;
    let known = &open.operation.loaded;
    for id in wanted {
        recorded(known, name, id)?;
    }
    let base = open.operation.base(name, Digest::of_bytes(b""));
    let plan = Plan::forgetting(base, &known.state.resources, wanted).judged_by(rules.digest());
    let edit = Edit { verb: "forget", question: "Forget all of this?", name, wanted };
    if carry_out(app, &open, &plan, &BTreeMap::new(), &edit, rules, lease).await? {
        return Box::pin(forget(app, name, wanted, rules, true)).await;
    }
    Ok(Exit::Fine)
}
