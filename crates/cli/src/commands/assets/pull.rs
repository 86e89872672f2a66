//! `assets pull`.

use report::words;

use super::Which;
use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{output, prepare, sources};

pub(super) async fn run(app: &App, arguments: &Which) -> Outcome {
    let (set, pins) = (arguments.set()?, app.asset_lock.read()?);
    let puller = sources::puller(app, &arguments.sources);
    let _working = app.stop.working();
    let pulled = app.phase("assets ready", puller.pull(&set, pins.as_ref())).await;
    let lock = pulled.map_err(|error| prepare::failed(&error))?;
    output::data(app.format, &lock)?;
    app.say(format!("{} in {}.", words::count(lock.entries.len(), "asset"), app.cache.root().display()));
    Ok(Exit::Fine)
}
