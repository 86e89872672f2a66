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
    if app.store.head(name).await?.is_none() {
        // Says that there is none, and which there are. What can't be read can be unlocked all the same.
        operation::load(app, name).await?;
    }
    let broken = if arguments.force {
        app.store.break_lock(name).await?
    } else {
        // Given back at once: that it could be had is the answer.
        drop(app.store.lock(name, app.lock_info("state unlock")).await.map_err(|error| refused(error, name))?);
        None
    };
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

/// Somebody holds the lock, or the store cannot be used.
fn refused(error: StoreError, name: &str) -> CommandError {
    let is_locked = matches!(error, StoreError::Locked(_));
    let failed = CommandError::from(error);
    if !is_locked {
        return failed;
    }
    failed.hint(format!("if it is certain that it does nothing any more: kubewright state unlock {name} --force"))
}
