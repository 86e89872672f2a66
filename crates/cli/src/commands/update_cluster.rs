//! `update cluster`: shows what would change, and changes it with --yes.

use clap::Args;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::update::{self, Wish};

/// Arguments of `update cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Carry the changes out without asking
    #[arg(short, long)]
    yes: bool,
    /// Exit with 3 when changes are pending
    #[arg(long)]
    detailed_exitcode: bool,
    /// Refuse a plan that deletes or replaces more resources than this
    #[arg(long, value_name = "N")]
    max_destroy: Option<usize>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let wish = Wish {
        yes: arguments.yes,
        detailed_exitcode: arguments.detailed_exitcode,
        max_destroy: arguments.max_destroy,
        again: format!("kubewright update cluster {name} --yes"),
    };
    update::update(app, &name, &wish).await
}
