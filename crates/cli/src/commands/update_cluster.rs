//! `update cluster`: shows what would change, and changes it with --yes.

use clap::Args;

use crate::app::App;
use crate::arguments::Name;
use crate::compose::Care;
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
    /// Hash large files on machines again instead of trusting their size and time
    #[arg(long)]
    deep: bool,
    /// Let a new member of etcd be born on this control plane although one lived there whose data is gone. Without other
    /// members that makes an empty cluster; restore a snapshot if you have one
    #[arg(long, value_name = "MACHINE")]
    forget_etcd_data: Vec<String>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let wish = Wish {
        yes: arguments.yes,
        detailed_exitcode: arguments.detailed_exitcode,
        max_destroy: arguments.max_destroy,
        care: Care { deep: arguments.deep, forget_etcd_data: arguments.forget_etcd_data.into_iter().collect() },
        again: format!("kubewright update cluster {name} --yes"),
    };
    update::update(app, &name, &wish).await
}
