//! The lines that go back to the operator's side.

use std::fmt::Display;
use std::io::Write;

use machine::wire::PROTOCOL;
use machine::{Hello, Reply};
use serde::Serialize;

/// Where replies go, and how many items were changed so far.
pub(crate) struct Replies<'a> {
    out: &'a mut dyn Write,
    changed: usize,
    lost: bool,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, changed: 0, lost: false }
    }

    pub(crate) fn hello(&mut self) {
        self.line(&Hello { kubewright_agent: PROTOCOL });
    }

    pub(crate) fn send(&mut self, reply: &Reply) {
        self.line(reply);
    }

    pub(crate) fn progress(&mut self, note: impl Into<String>) {
        self.line(&Reply::Progress { note: note.into() });
    }

    pub(crate) fn changed(&mut self, item: impl Display, done: impl Into<String>) {
        self.changed += 1;
        self.line(&Reply::Changed { item: item.to_string(), done: done.into() });
    }

    /// How many items were changed.
    pub(crate) fn count(&self) -> usize {
        self.changed
    }

    /// Whether nobody listens any more. What was begun is brought to an end all the same: a machine half changed
    /// helps nobody. Only waiting is pointless then.
    pub(crate) fn lost(&self) -> bool {
        self.lost
    }

    fn line(&mut self, value: &impl Serialize) {
        let written = serde_json::to_string(value)
            .map_err(std::io::Error::other)
            .and_then(|line| writeln!(self.out, "{line}").and_then(|()| self.out.flush()));
        self.lost |= written.is_err();
    }
}
