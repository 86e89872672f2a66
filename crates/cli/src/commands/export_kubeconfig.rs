//! `export kubeconfig`: a short-lived administrator's credentials, merged into the user's kubeconfig.

use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::kubeconfig::{self, Switch};
use crate::{kubectl, open, output, proxies};

/// Arguments of `export kubeconfig`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let open = open::cluster(app, &name).await?;
    kubectl::beside(app, &open.resolved);
    let said = kubeconfig::export(app, &open.cluster, &open.resolved, Switch::Always).await?;
    output::data(app.format, &json!({"cluster": name, "context": name}))?;
    app.say(said);
    proxies::mention(app, &open.known());
    Ok(Exit::Fine)
}
