//! Sets this host up for local machines.

use engine::{Event, EventSink as _};
use provider_local::setup;

use crate::app::App;
use crate::error::CommandError;

/// Installs the programs that are missing, after saying which.
pub(crate) async fn set_up(app: &App) -> Result<(), CommandError> {
    let commands = setup::setup_host(true);
    if commands.is_empty() {
        return Ok(());
    }
    app.say(format!("This host lacks programs; running: {}", setup::shown(&commands)));
    let progress = app.progress.clone();
    let say = move |line: &str| progress.emit(Event::Note { text: format!("  {line}") });
    tokio::task::spawn_blocking(move || setup::run(&commands, &say))
        .await
        .map_err(|error| CommandError::from_source("setting this host up was interrupted", &error))?
        .map_err(|error| {
            let mut failed = CommandError::from_source("cannot set this host up", &error);
            failed.output = error.output().to_vec();
            failed.hints.extend(error.hint());
            failed
        })
}
