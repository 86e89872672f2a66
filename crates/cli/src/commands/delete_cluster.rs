//! `delete cluster`: everything that was made for it, and nothing else.

use std::collections::BTreeMap;

use clap::Args;
use engine::{Limits, Summary};
use resource::Digest;

use crate::app::App;
use crate::arguments::Name;
use crate::compose::{Care, compose};
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::judge::Judge;
use crate::operation::{self, Operation};
use crate::output::Format;
use crate::{confirm, kubeconfig, update};

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
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    delete(app, &arguments.name.name, arguments.yes, arguments.max_destroy).await
}

async fn delete(app: &App, name: &str, yes: bool, max_destroy: Option<usize>) -> Outcome {
    let lease = if yes { Some(app.store.lock(name, app.lock_info("delete cluster")).await?) } else { None };
    let loaded = operation::load(app, name).await?;
    // What is deleted with its machine need not be reached, so no agent is needed.
    let composition = compose(app, None, &Care::default());
    let judge = Judge::of_deletion(name, &loaded);
    let operation = Operation::open(app, loaded, name, composition.handlers.clone()).await?;
    let desired = BTreeMap::new();
    let plan = operation.plan(name, &desired, Digest::of_bytes(b""), &operation.observe(&desired).await)?;
    update::show(app, &plan)?;
    judge.plan(app, &plan, max_destroy)?;
    let Some(lease) = lease else {
        if app.format == Format::Text && confirm::ask(app, "Delete all of this?")? {
            return Box::pin(delete(app, name, true, max_destroy)).await;
        }
        app.say(format!("\nNothing was changed. To delete the cluster: kubewright delete cluster {name} --yes"));
        return Ok(Exit::Fine);
    };
    let again = format!("kubewright delete cluster {name} --yes");
    let summary = app
        .phase_until("run", operation.run(&plan, &desired, lease.clone(), Limits::default()), Summary::is_complete)
        .await?;
    operation::outcome(app, &summary, &again)?;
    if plan.report.iter().any(|line| line.reason.is_blind()) {
        return Err(CommandError::failed("some of the cluster could not be looked at, so it is not forgotten")
            .exit(Exit::Partial)
            .hint(format!("look into the above, then run again: {again}")));
    }
    kubeconfig::remove(app, name)?;
    operation.store.remove().await?;
    app.say(format!("Cluster {name} is gone."));
    Ok(Exit::Fine)
}
