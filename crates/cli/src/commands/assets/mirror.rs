//! `assets mirror`.

use assets::MirrorDirectory;
use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{output, prepare, sources};

/// Where a mirror goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: super::Which,
    /// The mirror's directory
    #[arg(value_name = "DIR")]
    directory: String,
}

pub(super) async fn run(app: &App, arguments: &Arguments) -> Outcome {
    let (set, pins) = (arguments.which.set()?, app.asset_lock.read()?);
    let puller = sources::puller(app, &arguments.which.sources);
    let _working = app.stop.working();
    let pulled = app.phase("assets ready", puller.pull(&set, pins.as_ref())).await;
    pulled.map_err(|error| prepare::failed(&error))?;
    let mirror = MirrorDirectory::new(&arguments.directory);
    app.phase("mirror filled", puller.mirror(&set, &mirror)).await.map_err(|error| prepare::failed(&error))?;
    let directory = &arguments.directory;
    output::data(app.format, &json!({"directory": directory}))?;
    app.say(format!(
        "{directory} holds everything; use it with spec.assets.sources: [{directory}], or the address of a web server \
         that serves it"
    ));
    Ok(Exit::Fine)
}
