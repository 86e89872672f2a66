//! `preflight`: whether this host can carry local machines.

use clap::Args;
use report::Table;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{obstacles, output, providers, sources};

/// Arguments of `preflight`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Install what this host lacks with its package manager, at once
    #[arg(long)]
    setup_host: bool,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    if arguments.setup_host {
        app.phase("host set up", obstacles::set_up(app)).await?;
    }
    let provider = providers::named(app, spec::Provider::default().name())?;
    let findings = provider.survey(sources::builds_machine_image(app, &[])).await?;
    output::print(app.format, &findings, || {
        if findings.is_empty() {
            return "This host can carry local machines.\n".to_owned();
        }
        let mut table = Table::new(&["object", "problem", "command"]);
        for finding in &findings {
            table.row([finding.object.clone(), finding.why.clone(), finding.command.clone().unwrap_or_default()]);
        }
        table.text()
    })?;
    if findings.is_empty() {
        Ok(Exit::Fine)
    } else {
        Err(CommandError::failed("this host cannot carry local machines yet"))
    }
}
