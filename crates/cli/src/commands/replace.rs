//! `replace`: puts documents from files in the place of a cluster's.

use std::collections::BTreeMap;

use clap::Args;
use engine::Loaded;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{documents, operation, revise};

/// Arguments of `replace`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Documents: files, directories or `-`. All documents of the cluster, not only the changed ones
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Read the directories below directories, too
    #[arg(short = 'R', long)]
    recursive: bool,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let is_typed = arguments.files.iter().any(|file| file == "-");
    // What comes through standard input may take its time, such as an editor's in a pipe.
    let mut before = if is_typed { all(app).await } else { BTreeMap::new() };
    let texts = documents::read(&arguments.files, arguments.recursive)?;
    if texts.is_empty() {
        return Err(CommandError::failed("there are no documents in what was given").exit(Exit::Usage));
    }
    let replaced = async {
        let name = documents::effective(&texts)?.cluster.metadata.name;
        let base = match before.remove(&name) {
            Some(base) => base,
            None => operation::load(app, &name).await?,
        };
        revise::revise(app, &name, &base, texts.clone()).await
    };
    replaced.await.map_err(|error| if is_typed { revise::keep(&texts, error) } else { error })
}

/// What is stored of every cluster now. One that cannot be read is missing: it is complained about if it is the one.
async fn all(app: &App) -> BTreeMap<String, Loaded> {
    let mut all = BTreeMap::new();
    for name in app.store.clusters().await.unwrap_or_default() {
        if let Ok(Some(loaded)) = app.cluster(&name).load().await {
            all.insert(name, loaded);
        }
    }
    all
}
