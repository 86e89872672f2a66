//! `edit cluster`: the documents in the user's editor.

use std::io::Write as _;
use std::path::Path;

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
    let texts = match until_valid(app, &name, file.path(), &before) {
        Ok(Some(texts)) => texts,
        Ok(None) => {
            app.say("Nothing was edited.");
            return Ok(Exit::Fine);
        }
        // Also where the editor died: it may have saved before.
        Err(error) if fs::read(file.path()).is_ok_and(|now| now != before.as_bytes()) => {
            return Err(kept(file, error));
        }
        Err(error) => return Err(error),
    };
    revise::revise(app, &name, &loaded, texts).await.map_err(|error| kept(file, error))
}

/// Lets the user edit until the documents are valid, or until they give up; `None` where nothing was edited.
fn until_valid(app: &App, name: &str, path: &Path, before: &str) -> Result<Option<Vec<SourceText>>, CommandError> {
    loop {
        let Some(text) = edited(app, name, path, before)? else { return Ok(None) };
        let texts = vec![text];
        match documents::effective(&texts) {
            Ok(_) => return Ok(Some(texts)),
            Err(_) if editor::edit_again(app)? => {}
            Err(error) => return Err(error),
        }
    }
}

/// What the user made of the text; `None` where nothing.
fn edited(app: &App, name: &str, path: &Path, before: &str) -> Result<Option<SourceText>, CommandError> {
    editor::open(app, path)?;
    let now = fs::read(path).map_err(|error| CommandError::from_source("cannot read what was edited", &error))?;
    if now == before.as_bytes() { Ok(None) } else { documents::text(&format!("{name}.yaml"), now).map(Some) }
}

/// What was typed must not be lost.
fn kept(file: NamedTempFile, error: CommandError) -> CommandError {
    match file.keep() {
        Ok((_, path)) => error.hint(revise::kept_in(&path)),
        Err(lost) => error.hint(format!("your text could not be kept: {}", lost.error)),
    }
}
