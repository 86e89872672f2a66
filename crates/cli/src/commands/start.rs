//! `start cluster`: starts the machines of a stopped cluster, with their data.

use clap::Args;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::rule_files::RuleFiles;
use crate::update::{self, Wish};

/// Arguments of `start cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    rules: RuleFiles,
}

/// A stopped machine is one that should run and does not: an update starts it.
pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let again = format!("kubewright start cluster {name}{}", arguments.rules.again());
    let wish = Wish { yes: true, rules: arguments.rules.read()?, again, ..Wish::default() };
    update::update(app, &name, &wish).await
}
