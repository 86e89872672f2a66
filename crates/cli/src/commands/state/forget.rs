//! `state forget`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use engine::{Limits, Summary};
use plan::Plan;
use resource::{Digest, ResourceId};
use rules::UserRules;

use super::recorded;
use crate::app::App;
use crate::arguments::Name;
use crate::compose::{Care, compose};
use crate::error::Outcome;
use crate::exit::Exit;
use crate::judge::Judge;
use crate::operation::{self, Operation};
use crate::output::Format;
use crate::rule_files::RuleFiles;
use crate::{confirm, resolving, update};

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
    let loaded = operation::load(app, name).await?;
    for id in wanted {
        recorded(&loaded, name, id)?;
    }
    let (resolved, _) = resolving::stored(&loaded)?;
    let judge = Judge::of(&resolved, &loaded)?;
    let composition = compose(app, None, &Care::default());
    let operation = Operation::open(app, loaded, name, composition.handlers.clone()).await?;
    let base = operation.base(name, Digest::of_bytes(b""));
    let plan = Plan::forgetting(base, &operation.loaded.state.resources, wanted).judged_by(rules.digest());
    update::show(app, &plan)?;
    judge.plan(app, &plan, None, rules)?;
    let Some(lease) = lease else {
        if app.format == Format::Text && confirm::ask(app, "Forget all of this?")? {
            return Box::pin(forget(app, name, wanted, rules, true)).await;
        }
        let ids: Vec<&str> = wanted.iter().map(ResourceId::as_str).collect();
        app.say(format!("\nNothing was changed. To do it: kubewright state forget {name} {} --yes", ids.join(" ")));
        return Ok(Exit::Fine);
    };
    let again = format!("kubewright update cluster {name} --yes");
    let desired = BTreeMap::new();
    let running = operation.run(&plan, &desired, lease, Limits::default());
    let summary = app.phase_until("run", running, Summary::is_complete).await?;
    operation::outcome(app, &summary, &again)?;
    app.say(format!("What is there was not touched. See how it looks now: kubewright update cluster {name}"));
    Ok(Exit::Fine)
}
