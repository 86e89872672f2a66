//! Asks the user before something is changed.

use crate::app::App;
use crate::error::CommandError;
use crate::output;

/// Asks for a typed `yes`. Without a terminal nobody is asked, and the answer is no.
pub(crate) fn ask(app: &App, question: &str) -> Result<bool, CommandError> {
    if !app.environment.interactive || !app.environment.terminal {
        return Ok(false);
    }
    output::note(&format!("\n{question} Only `yes` is taken for an answer: "));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| CommandError::from_source("cannot read the answer", &error))?;
    Ok(answer.trim() == "yes")
}
