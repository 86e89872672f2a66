//! `state verify`.

use engine::Verified;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{operation, output};

/// Reads everything that is stored of a cluster, its secrets too. Damages are printed, and end with exit code 1.
pub(super) async fn run(app: &App, name: &str) -> Outcome {
    let cluster = app.cluster(name);
    let verified = cluster.verify().await?;
    if verified.damages.is_empty() {
        // Before anything is called sound: it must be there, and the operator's key must open its secrets.
        operation::load(app, name).await?;
        operation::open_vault(app, name).await?;
    }
    output::print(app.format, &verified, || text(name, &verified))?;
    if verified.damages.is_empty() {
        return Ok(Exit::Fine);
    }
    let error = CommandError::failed(format!("the state of cluster {name} in {} is damaged", app.store.describe()));
    Err(operation::with_backup(app, name, error))
}

fn text(name: &str, verified: &Verified) -> String {
    let Verified { objects, journals, damages } = verified;
    if damages.is_empty() {
        return format!("{objects} objects and {journals} journals of cluster {name} were read; all are sound.\n");
    }
    let lines: Vec<String> = damages.iter().map(|damage| format!("damaged: {}: {}", damage.what, damage.why)).collect();
    lines.join("\n") + "\n"
}
