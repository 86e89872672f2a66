//! The log of a run: what happened, and what libraries had to say, as JSON lines beside the state, kept for a while.

mod file;
mod record;

use std::path::PathBuf;
use std::sync::Arc;

use engine::{Event, EventSink};
use fs_err as fs;

pub(crate) use file::LogFile;

use crate::app::App;
use crate::hinted_commands;

/// How many logs of a cluster are kept.
const KEPT: usize = 50;

/// Shows events and writes them down.
pub(crate) struct RunLog {
    shown: Arc<dyn EventSink>,
    /// The store that commands are suggested with.
    state: Option<String>,
}

impl RunLog {
    /// The log of one run: until the next one, everything traced goes there. A log that cannot be written is no reason
    /// not to run.
    pub(crate) fn open(app: &App, cluster: &str, run: &str) -> Self {
        let directory = app.data.join("logs").join(cluster);
        if let Ok(file) = create(&directory, run) {
            app.log.switch_to(file);
        }
        forget_old(&directory);
        tracing::info!(cluster, run, command = app.environment.command, who = app.environment.who, "kubewright runs");
        Self { shown: app.progress.clone(), state: app.given_state().map(str::to_owned) }
    }
}

fn create(directory: &std::path::Path, run: &str) -> std::io::Result<fs::File> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut options = fs::OpenOptions::new();
    options.create_new(true).append(true);
    options.options_mut().mode(0o600);
    options.open(directory.join(format!("{run}.jsonl")))
}

/// Names begin with the time, so the first ones are the oldest.
fn forget_old(directory: &std::path::Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut logs: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    logs.sort_unstable();
    for log in logs.iter().take(logs.len().saturating_sub(KEPT)) {
        // Tried again with the next run.
        let _ = fs::remove_file(log);
    }
}

impl EventSink for RunLog {
    fn emit(&self, event: Event) {
        record::record(&event);
        self.shown.emit(match event {
            Event::ActionFailed { action, why, hint, output } => {
                let hint = hint.map(|hint| hinted_commands::with_state(&hint, self.state.as_deref()));
                Event::ActionFailed { action, why, hint, output }
            }
            other => other,
        });
    }
}
