//! `state copy`.

use std::sync::Arc;

use clap::Args;
use engine::{ClusterStore, Loaded, MoveError, MovedCluster, StoreError};
use provider::Provider;
use report::words;
use serde_json::json;

use crate::app::{App, Place};
use crate::arguments::cluster_name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::output::Format;
use crate::suggestion::{Suggestion, quoted};
use crate::{address, confirm, output, providers};

/// What to move, and where to.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the cluster's state is: a directory or s3://BUCKET[/PREFIX]
    #[arg(value_name = "FROM", value_parser = address::read)]
    from: String,
    /// Where it is to be
    #[arg(value_name = "TO", value_parser = address::read)]
    to: String,
    /// Name of the cluster [default: the only one there is]
    #[arg(long, env = "KUBEWRIGHT_CLUSTER", hide_env_values = true, value_parser = cluster_name)]
    name: Option<String>,
    /// Move it without asking
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(app: &App, arguments: &Arguments) -> Outcome {
    let from = Place::at(&arguments.from, "FROM", &app.environment)?;
    let to = Place::at(&arguments.to, "TO", &app.environment)?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => only_one(&from.store.clusters().await?, &from.store.describe())?,
    };
    let source = ClusterStore::new(from.store.clone(), &name);
    if from.store.describe() == to.store.describe() {
        let message = format!("cluster {name} is kept in {} already", to.store.describe());
        return Err(CommandError::failed(message).exit(Exit::Usage));
    }
    // A move that was interrupted left a head that says where the cluster goes.
    match source.load().await {
        Ok(Some(loaded)) => check_machines(app, &loaded, &name, &from, &to)?,
        Err(StoreError::Moved { to: there }) if there == to.store.describe() => {}
        Ok(None) => return Err(none(&name, &from)),
        Err(error) => return Err(error.into()),
    }
    let retry_command =
        Suggestion::new("state copy").word(&arguments.from).word(&arguments.to).options("--name", [&name]);
    let retry_command = retry_command.flag("--yes", true).text();
    if !arguments.yes {
        app.say(format!(
            "The state of cluster {name} moves from {} to {}.",
            from.store.describe(),
            to.store.describe()
        ));
        let asked = app.format == Format::Text && confirm::ask(app, "Move it?")?;
        if !asked {
            let shown =
                json!({"cluster": name, "from": from.store.describe(), "to": to.store.describe(), "copied": null});
            output::data(app.format, &shown)?;
            app.say(format!("Nothing was changed. To do it: {retry_command}"));
            return Ok(Exit::Fine);
        }
    }
    let target = ClusterStore::new(to.store.clone(), &name);
    let moving = source.move_to(&target, app.lock_info("state copy"));
    let moved =
        app.phase("copied", moving).await.map_err(|error| failed(error, &name, &arguments.from, &retry_command))?;
    show(app, &name, &moved, &from, &to)
}

fn show(app: &App, name: &str, moved: &MovedCluster, from: &Place, to: &Place) -> Outcome {
    let (here, there) = (from.store.describe(), to.store.describe());
    let shown = json!({"cluster": name, "from": here, "to": there, "copied": moved});
    output::print(app.format, &shown, || {
        let (objects, journals) = (words::count(moved.objects, "object"), words::count(moved.journals, "journal"));
        format!("{objects} and {journals} of cluster {name} are in {there} now.\n")
    })?;
    app.say(format!("What is left in {here} can no longer be changed; it is a backup of this moment."));
    app.say(format!("Use it with: --state {}", quoted(&there)));
    Ok(Exit::Fine)
}

fn only_one(clusters: &[String], store: &str) -> Result<String, CommandError> {
    match clusters {
        [only] => Ok(only.clone()),
        [] => Err(CommandError::failed(format!("there are no clusters in {store}"))),
        several => {
            let message = format!("there are several clusters in {store}: {}", several.join(", "));
            Err(CommandError::failed(message).exit(Exit::Usage).hint("say which one with --name"))
        }
    }
}

fn none(name: &str, from: &Place) -> CommandError {
    CommandError::failed(format!("there is no cluster {name} in {}", from.store.describe()))
}

/// Machines that lie beside the state, where that is a directory: kubewright would look for them elsewhere.
fn check_machines(app: &App, loaded: &Loaded, name: &str, from: &Place, to: &Place) -> Result<(), CommandError> {
    let is_here = |provider: &Arc<dyn Provider>| provider.lies_beside_state(&loaded.state.resources);
    if from.data == to.data || !providers::all(app).iter().any(is_here) {
        return Ok(());
    }
    let (here, there) = (from.data.join("machines"), to.data.join("machines"));
    let message = format!("the machines of cluster {name} lie in {}, and stay there", here.display());
    Err(CommandError::failed(message).hint(format!("with that state they would be looked for in {}", there.display())))
}

fn failed(error: MoveError, name: &str, from: &str, retry_command: &str) -> CommandError {
    let stays = |error: &MoveError| CommandError::from_source(&format!("cluster {name} stays where it is"), error);
    match error {
        MoveError::Store(error) => CommandError::from(error).hint(format!("to go on: {retry_command}")),
        MoveError::Damaged(_) => {
            stays(&error).hint(format!("see what it is: kubewright state verify {name} --state {}", quoted(from)))
        }
        MoveError::NotThere | MoveError::Occupied { .. } => stays(&error),
    }
}
