//! The file that everything traced goes to, once there is one.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// Our own crates that trace; of others only warnings are written.
const OURS: [&str; 5] = ["kubewright", "assets", "ssh", "hosts", "objects"];

/// The file that everything traced goes to. What is traced before there is one is dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFile(Arc<Mutex<Option<fs_err::File>>>);

impl LogFile {
    /// Makes it the place of everything traced in this process. `wanted` is such as `russh=debug,kube=info`.
    pub(crate) fn install(wanted: Option<&str>) -> Self {
        let file = Self::default();
        // There can be one already only where nothing is traced: in tests.
        let _ = tracing::subscriber::set_global_default(file.subscriber(wanted));
        file
    }

    fn subscriber(&self, wanted: Option<&str>) -> impl tracing::Subscriber + use<> {
        let wanted = wanted.and_then(|wanted| wanted.parse::<Targets>().ok()).unwrap_or_else(usual);
        let lines = tracing_subscriber::fmt::layer().json().with_writer(self.clone()).with_filter(wanted);
        tracing_subscriber::registry().with(lines)
    }

    /// Everything goes to `file` from here on.
    pub(crate) fn switch_to(&self, file: fs_err::File) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    }
}

fn usual() -> Targets {
    let ours = OURS.map(|target| (target, Level::DEBUG));
    Targets::new().with_default(LevelFilter::WARN).with_targets(ours)
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.clone())
    }
}

/// One line being written.
pub(crate) struct Line(LogFile);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // A full disk shows in the journal, which must not fail; the log may.
            Some(file) => Ok(file.write(bytes).unwrap_or(bytes.len())),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use engine::Event;
    use serde_json::Value;

    use super::*;
    use crate::run_log::record::record;

    #[test]
    fn events_of_a_run_are_lines_of_json_and_what_others_chat_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let file = LogFile::default();
        let note = |text: &str| record(&Event::Note { text: text.to_owned() });
        tracing::subscriber::with_default(file.subscriber(None), || {
            note("before the run");
            file.switch_to(fs_err::File::create(&path).unwrap());
            note("in the run");
            tracing::info!(target: "russh", "a packet came");
            tracing::warn!(target: "russh", "a packet is missing");
        });
        let text = fs_err::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let fields: Vec<&Value> = lines.iter().map(|line| &line["fields"]).collect();
        assert_eq!(fields.len(), 2, "{text}");
        assert_eq!((&fields[0]["text"], &fields[1]["message"]), (&"in the run".into(), &"a packet is missing".into()));
    }
}
