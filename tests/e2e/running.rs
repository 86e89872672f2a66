//! A kubewright that runs beside the story, so that it can be watched and killed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a program may say nothing while the story waits for it.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How often a journal is looked at.
const GLANCE: Duration = Duration::from_millis(1);

/// A point in a program's life.
#[derive(Debug)]
pub(crate) enum Moment {
    /// So long after its start.
    After(Duration),
    /// When one of its actions is finished.
    Works,
    /// When its journal has so many records of a kind.
    Records(Journal, Mark, usize),
}

/// What an action's record says: that it is about to take effect, or that it has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    /// Before.
    Started,
    /// After.
    Succeeded,
}

impl Mark {
    fn text(self) -> &'static str {
        match self {
            Self::Started => r#""record":"actionStarted""#,
            Self::Succeeded => r#""record":"actionSucceeded""#,
        }
    }
}

/// The journals of a cluster that were not there yet.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    old: BTreeSet<OsString>,
}

impl Journal {
    /// Journals in `directory` from now on.
    pub(crate) fn new(directory: PathBuf) -> Self {
        let mut journal = Self { directory, old: BTreeSet::new() };
        journal.old = journal.files().collect();
        journal
    }

    fn files(&self) -> impl Iterator<Item = OsString> + use<> {
        std::fs::read_dir(&self.directory).into_iter().flatten().flatten().map(|file| file.file_name())
    }

    fn count(&self, mark: Mark) -> usize {
        let new = self.files().filter(|file| !self.old.contains(file));
        let texts = new.filter_map(|file| std::fs::read_to_string(self.directory.join(file)).ok());
        texts.map(|text| text.matches(mark.text()).count()).sum()
    }
}

/// A program that was started and not waited for. It is killed when the story forgets it.
pub(crate) struct Running {
    child: Child,
    began: Instant,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Running {
    /// Starts a program and listens to its progress, which is on standard error.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let progress = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || progress.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, began: Instant::now(), lines, said: Vec::new() }
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a moment; false when the program ended before.
    pub(crate) fn reaches(&mut self, moment: &Moment) -> bool {
        let mut last_news = Instant::now();
        loop {
            let reached = match moment {
                Moment::After(time) => self.began.elapsed() >= *time,
                Moment::Works => self.said.iter().any(|line| line.contains("✓ [")),
                Moment::Records(journal, mark, count) => journal.count(*mark) >= *count,
            };
            if reached {
                return true;
            }
            match self.lines.recv_timeout(GLANCE) {
                Ok(line) => {
                    self.said.push(line);
                    last_news = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => {
                    assert!(last_news.elapsed() < TIMEOUT, "nothing happens any more: {:#?}", self.said);
                }
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Whether it has not ended yet.
    pub(crate) fn goes_on(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it as `kill -9` does; gives the last thing that it said.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("the program is killed");
        self.child.wait().expect("the program ends");
        self.said.pop().unwrap_or_default()
    }

    /// Waits for its end; gives its status and everything that it said.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(TIMEOUT) {
            self.said.push(line);
        }
        let status = self.child.wait().expect("the program ends");
        (status, self.said.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
