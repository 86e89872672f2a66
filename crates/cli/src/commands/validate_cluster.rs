//! `validate cluster`: nodes, system pods, workloads, aggregated APIs and DNS.

use std::time::Duration;

use clap::Args;
use objects::validate::is_healthy;
use report::Table;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::health::thorough::{self, HealthOptions};
use crate::run_limits::duration;
use crate::{open, output, proxies};

/// Arguments of `validate cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Wait up to this long for the cluster to become healthy, such as 90s or 10m
    #[arg(long, value_parser = duration, default_value = "0s")]
    wait: Duration,
    /// How long to wait between two looks
    #[arg(long, value_parser = duration, default_value = "2s")]
    interval: Duration,
    /// How many looks in a row must find nothing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    count: u32,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = &arguments.name.name;
    let open = open::cluster(app, name).await?;
    proxies::mention(app, &open.known());
    let Arguments { wait, interval, count, .. } = arguments;
    let findings = thorough::check(&open, HealthOptions { wait, interval, count }).await?;
    let is_healthy = is_healthy(&findings);
    output::print(app.format, &findings, || {
        if findings.is_empty() {
            return format!("Cluster {name} is healthy.\n");
        }
        let verdict = if is_healthy { format!("\nCluster {name} is healthy.\n") } else { String::new() };
        let mut table = Table::new(&["subject", "problem", "next"]);
        for finding in &findings {
            table.row([
                finding.subject.clone(),
                finding.problem.clone(),
                app.suggestive(finding.hint.as_deref().unwrap_or_default()),
            ]);
        }
        table.text() + &verdict
    })?;
    if is_healthy {
        return Ok(Exit::Fine);
    }
    Err(CommandError::failed(format!("cluster {name} is not healthy"))
        .hint(format!("wait for it with: kubewright validate cluster {name} --wait 5m")))
}
