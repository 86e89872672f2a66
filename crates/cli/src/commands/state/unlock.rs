//! `state unlock`.

use clap::Args;
use engine::StoreError;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{operation, output};

/// What to unlock.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Take the lock from whoever holds it. What they began ends in doubt, and the next update looks at it
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(app: &App, arguments: &Arguments) -> Outcome {
    let name = arguments.name.name.as_str();
    operation::load(app, name).await?;
    let broken = if arguments.force { app.store.break_lock(name).await? } else { free(app, name).await? };
    output::print(app.format, &json!({"cluster": name, "takenFrom": broken}), || match &broken {
        None => format!("Nobody holds the lock of cluster {name}.\n"),
        Some(holder) => format!(
            "The lock of cluster {name} was taken from {} (process {}), who held it since {} for `{}`.\n",
            holder.who, holder.process, holder.since, holder.operation
        ),
    })?;
    if broken.is_some() {
        app.say(format!("Make sure that it has ended, then go on with: kubewright update cluster {name}"));
    }
    Ok(Exit::Fine)
}

/// Says who holds the lock, as an error.
async fn free(app: &App, name: &str) -> Result<Option<engine::LockInfo>, CommandError> {
    match app.store.lock(name, app.lock_info("state unlock")).await {
        Ok(_lease) => Ok(None),
        Err(error @ StoreError::Locked(_)) => {
            let force =
                format!("if it is certain that it does nothing any more: kubewright state unlock {name} --force");
            Err(CommandError::from(error).hint(force))
        }
        Err(error) => Err(error.into()),
    }
}
