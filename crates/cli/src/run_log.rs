//! The log of a run: every event as a JSON line, kept beside the state for a while.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Event, EventSink};
use fs_err as fs;

use crate::app::App;

/// How many logs of a cluster are kept.
const KEPT: usize = 50;

/// Shows events and writes them down.
pub(crate) struct RunLog {
    shown: Arc<dyn EventSink>,
    file: Option<Mutex<fs::File>>,
}

impl RunLog {
    /// The log of one run. A log that cannot be written is no reason not to run.
    pub(crate) fn open(app: &App, cluster: &str, run: &str) -> Self {
        let directory = app.data.join("logs").join(cluster);
        let file = create(&directory, run).ok();
        forget_old(&directory);
        Self { shown: app.progress.clone(), file: file.map(Mutex::new) }
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
        if let (Some(file), Ok(text)) = (&self.file, serde_json::to_string(&event)) {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let time = jiff::Timestamp::now();
            // A full disk shows in the journal, which must not fail; the log may.
            let _ = writeln!(file, "{{\"time\":\"{time}\",\"event\":{text}}}");
        }
        self.shown.emit(event);
    }
}
