//! Asks the user before something is changed.

use crate::app::App;
use crate::error::CommandError;
use crate::output;

/// Asks for a typed `yes`. Without a terminal nobody is asked, and the answer is no.
pub(crate) fn ask(app: &App, question: &str) -> Result<bool, CommandError> {
    let answer = answer(app, &format!("\n{question} Only `yes` is taken for an answer: "))?;
    Ok(answer.is_some_and(|answer| answer.trim() == "yes"))
}

/// Asks for a typed `yes` to what the command itself already says. Without a terminal nobody is asked, and the answer is yes.
pub(crate) fn is_meant(app: &App, question: &str) -> Result<bool, CommandError> {
    Ok(!is_asked(app) || ask(app, question)?)
}

/// Asks whether to go on, which an empty line says. Without a terminal nobody is asked, and the answer is no.
pub(crate) fn go_on(app: &App, question: &str) -> Result<bool, CommandError> {
    let answer = answer(app, &format!("\n{question} "))?;
    Ok(answer.is_some_and(|answer| answer.ends_with('\n') && answer.trim().is_empty()))
}

/// Whether there is somebody to ask.
fn is_asked(app: &App) -> bool {
    app.environment.interactive && app.environment.terminal
}

/// A line that somebody typed; `None` where there is nobody.
fn answer(app: &App, question: &str) -> Result<Option<String>, CommandError> {
    if !is_asked(app) {
        return Ok(None);
    }
    output::note(question);
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| CommandError::from_source("cannot read the answer", &error))?;
    Ok(Some(answer))
}
