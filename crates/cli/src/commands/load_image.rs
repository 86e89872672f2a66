//! `load image`: an image archive into the container runtime of every machine.

use std::time::Duration;

use clap::Args;
use engine::HostConnector as _;
use futures::future::try_join_all;
use tokio::sync::mpsc;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{open, reach};

/// Arguments of `load image`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The archive, as `docker save` or an OCI layout's tar
    #[arg(value_name = "FILE")]
    file: String,
    /// Name of the cluster
    #[arg(long = "name", value_name = "CLUSTER", env = "KUBEWRIGHT_CLUSTER", hide_env_values = true)]
    cluster: String,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let open = open::cluster(app, &arguments.cluster).await?;
    let connector = ssh::SshConnector::new();
    let loads = open.resolved.machines.iter().map(|machine| {
        let (open, connector, file) = (&open, &connector, &arguments.file);
        async move {
            let target = reach::target(&open.operation, &open.resolved, machine)?;
            let failed = |error: engine::HostError| CommandError::from_source("cannot load the image", &error);
            let host = connector.connect(&target, Duration::from_secs(10)).await.map_err(failed)?;
            let remote = "/var/lib/kubewright/load-image.tar";
            host.upload(std::path::Path::new(file), remote, 0o600).await.map_err(failed)?;
            let (lines, mut output) = mpsc::channel(64);
            let command = format!(
                "ctr -n k8s.io images import --all-platforms {remote}; status=$?; rm -f {remote}; exit $status"
            );
            let (exit, ()) =
                tokio::join!(host.run(&command, Vec::new(), lines), async { while output.recv().await.is_some() {} });
            let exit = exit.map_err(failed)?;
            if exit.status == 0 {
                return Ok(());
            }
            let mut error = CommandError::failed(format!("{} cannot import {file}", machine.name));
            error.output = exit.stderr;
            Err(error)
        }
    });
    app.phase("image loaded into every machine", try_join_all(loads)).await?;
    Ok(Exit::Fine)
}
