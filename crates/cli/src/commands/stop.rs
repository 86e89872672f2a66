//! `stop cluster`: powers a cluster's machines off and keeps their data.

use clap::Args;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::operation;
use crate::{compose, ground};

/// Arguments of `stop cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let _lease = operation::lock(app, &name, "stop cluster").await?;
    let loaded = operation::load(app, &name).await?;
    ground::at_home(app, &name, &loaded).await?;
    let local = compose::local_provider(app);
    let stopped = app.phase("machines stopped", local.stop(&name)).await;
    let stopped = stopped.map_err(|error| CommandError::from_source("cannot stop all machines", &error))?;
    app.say(format!(
        "Stopped {}. Their data is kept; start them with: kubewright start cluster {name}",
        stopped.join(", ")
    ));
    Ok(Exit::Fine)
}
