//! `load image`: an image archive into the container runtime of every machine.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use engine::{ActionError, HostConnector as _, HostError};
use futures::future::try_join_all;
use hosts::AgentError;
use serde_json::json;

use crate::app::App;
use crate::arguments::cluster_name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{open, output, reach};

/// Arguments of `load image`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The archive, as `docker save` or an OCI layout's tar
    #[arg(value_name = "FILE")]
    file: String,
    /// Name of the cluster
    #[arg(long = "name", value_name = "CLUSTER", env = "KUBEWRIGHT_CLUSTER", hide_env_values = true,
        value_parser = cluster_name)]
    cluster: String,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let open = open::cluster(app, &arguments.cluster).await?;
    let connector = ssh::SshConnector::new();
    let loads = open.resolved.machines.iter().map(|machine| {
        let (open, connector, file) = (&open, &connector, &arguments.file);
        async move {
            let target = reach::target(&open.cluster, &open.resolved, machine)?;
            let failed = |error: HostError| CommandError::from(ActionError::from(AgentError::from(error)));
            let host = connector.connect(&target, Duration::from_secs(10)).await.map_err(failed)?;
            hosts::import_image(host.as_ref(), &machine.name, Path::new(file), None).await.map_err(failed)
        }
    });
    app.phase("image loaded into every machine", try_join_all(loads)).await?;
    let machines: Vec<&str> = open.resolved.machines.iter().map(|machine| machine.name.as_str()).collect();
    output::data(app.format, &json!({"cluster": arguments.cluster, "file": arguments.file, "machines": machines}))?;
    Ok(Exit::Fine)
}
