//! `rollback cluster`: makes the documents of an earlier revision the wanted ones, and shows what that changes.

use clap::Args;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::revise::{self, Documents};
use crate::rule_files::RuleFiles;
use crate::update::{self, UpdateOptions};
use crate::{facts, operation};

/// Arguments of `rollback cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// The revision to go back to, or the beginning of its digest; `get revisions` lists them
    #[arg(long, value_name = "REVISION")]
    to: String,
    #[command(flatten)]
    rules: RuleFiles,
    /// Carry the changes out without asking
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = &arguments.name.name;
    let rules = arguments.rules.read()?;
    let loaded = operation::load(app, name).await?;
    let (_, revision) = operation::revision(app, name, &arguments.to).await?;
    let is_revised = revision.documents != loaded.revision.documents;
    let templates = facts::templates(&revision)?;
    revise::revise(app, name, &loaded, Documents { texts: revision.documents, templates, is_result: false }).await?;
    let options = UpdateOptions {
        yes: arguments.yes,
        rules,
        rule_files: arguments.rules,
        is_revised,
        ..UpdateOptions::default()
    };
    update::update(app, name, &options).await
}
