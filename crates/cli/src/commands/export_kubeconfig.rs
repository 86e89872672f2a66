//! `export kubeconfig`: a short-lived administrator's credentials, merged into the user's kubeconfig.

use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{kubeconfig, open, output};

/// Arguments of `export kubeconfig`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let open = open::cluster(app, &name).await?;
    kubeconfig::export(app, &open.operation, &open.resolved).await?;
    let shown = json!({"cluster": name, "context": name, "kubeconfig": app.environment.kubeconfig});
    output::data(app.format, &shown)?;
    app.say(format!("Context {name} is the current one in {}.", app.environment.kubeconfig.display()));
    Ok(Exit::Fine)
}
