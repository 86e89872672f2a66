//! `edit cluster`: the documents in the user's editor.

use std::io::Write as _;

use clap::Args;
use engine::SourceText;
use fs_err as fs;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{documents, operation, revise};

/// Arguments of `edit cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name;
    let loaded = operation::load(app, &name).await?;
    let before: Vec<&str> = loaded.revision.documents.iter().map(|text| text.text.as_str()).collect();
    let before = before.join("---\n");
    let failed = |error: std::io::Error| CommandError::from_source("cannot edit the documents", &error);
    let mut file = tempfile::Builder::new().prefix(&format!("{name}-")).suffix(".yaml").tempfile().map_err(failed)?;
    file.write_all(before.as_bytes()).map_err(failed)?;
    run_editor(app, file.path())?;
    let text = fs::read_to_string(file.path()).map_err(failed)?;
    if text == before {
        app.say("Nothing was edited.");
        return Ok(Exit::Fine);
    }
    let texts = vec![SourceText { name: format!("{name}.yaml"), text }];
    if let Err(error) = documents::effective(&texts) {
        // What was typed must not be lost.
        let (_, path) = file.keep().map_err(|error| failed(error.error))?;
        return Err(
            error.hint(format!("your text is kept in {}; mend it and use: kubewright replace -f", path.display()))
        );
    }
    revise::revise(app, &name, texts).await
}

fn run_editor(app: &App, path: &std::path::Path) -> Result<(), CommandError> {
    let mut words = app.environment.editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = std::process::Command::new(program).args(words).arg(path).status().map_err(|error| {
        CommandError::from_source(&format!("cannot start {program}"), &error).hint("set EDITOR to your editor")
    })?;
    if status.success() { Ok(()) } else { Err(CommandError::failed(format!("{program} ended with {status}"))) }
}
