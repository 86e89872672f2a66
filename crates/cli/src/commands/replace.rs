//! `replace`: puts documents from files in the place of a cluster's.

use clap::Args;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{documents, revise};

/// Arguments of `replace`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Documents: files, directories or `-`. All documents of the cluster, not only the changed ones
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<String>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let texts = documents::read(&arguments.files)?;
    if texts.is_empty() {
        return Err(CommandError::failed("there are no documents in what was given").exit(Exit::Usage));
    }
    let effective = documents::effective(&texts)?;
    revise::revise(app, &effective.cluster.metadata.name, texts).await
}
