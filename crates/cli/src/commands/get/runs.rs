//! `get runs`: what was done to a cluster, when, by whom, and how it ended.

use engine::{ActionOutcome, RunHistory, RunOutcome};
use jiff::Timestamp;
use report::{Table, words};

use crate::app::App;
use crate::error::CommandError;
use crate::{operation, output};

/// Prints the runs that are kept, the oldest first; as data with every action.
pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    operation::load(app, name).await?;
    let runs = app.cluster(name).runs().await?;
    let names = runs.iter().map(|run| format!("run/{}", run.run));
    output::list(app.format, &runs, names, || {
        let mut table = Table::new(&["run", "who", "took", "done", "failed", "ended", "command"]);
        for run in &runs {
            table.row(row(run));
        }
        table.text()
    })
}

fn row(run: &RunHistory) -> [String; 7] {
    let ended = match run.outcome {
        RunOutcome::Complete => "complete",
        RunOutcome::Partial => "partly done",
        RunOutcome::Unfinished => "unfinished",
    };
    let number = |outcome| run.count(outcome).to_string();
    [
        run.run.clone(),
        run.who.clone(),
        took(run).unwrap_or_default(),
        number(ActionOutcome::Succeeded),
        number(ActionOutcome::Failed),
        ended.to_owned(),
        run.command.clone(),
    ]
}

/// Nothing for a run of which the end is not known.
fn took(run: &RunHistory) -> Option<String> {
    let began: Timestamp = run.began.parse().ok()?;
    let ended: Timestamp = run.ended.as_ref()?.parse().ok()?;
    Some(words::duration(ended.duration_since(began).try_into().ok()?))
}
