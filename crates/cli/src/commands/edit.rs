//! `edit cluster`: the documents in the user's editor.

use std::io::Write as _;

use clap::Args;
use engine::SourceText;
use fs_err as fs;
use tempfile::NamedTempFile;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{documents, editor, operation, revise};

/// Arguments of `edit cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let loaded = operation::load(app, &name).await?;
    let before = documents::joined(&loaded.revision.documents);
    let failed = |error: std::io::Error| CommandError::from_source("cannot edit the documents", &error);
    let mut file = tempfile::Builder::new().prefix(&format!("{name}-")).suffix(".yaml").tempfile().map_err(failed)?;
    file.write_all(before.as_bytes()).map_err(failed)?;
    let texts = loop {
        editor::open(app, file.path())?;
        let text = fs::read_to_string(file.path()).map_err(failed)?;
        if text == before {
            app.say("Nothing was edited.");
            return Ok(Exit::Fine);
        }
        let texts = vec![SourceText { name: format!("{name}.yaml"), text }];
        match documents::effective(&texts) {
            Ok(_) => break texts,
            Err(_) if editor::again(app)? => {}
            Err(error) => return Err(kept(file, error)),
        }
    };
    revise::revise(app, &name, &loaded, texts).await.map_err(|error| kept(file, error))
}

/// What was typed must not be lost.
fn kept(file: NamedTempFile, error: CommandError) -> CommandError {
    match file.keep() {
        Ok((_, path)) => error.hint(revise::kept_in(&path)),
        Err(lost) => error.hint(format!("your text could not be kept: {}", lost.error)),
    }
}
