//! Ctrl-C: what is being carried out is brought to a good end first, everything else ends at once, and a third ends all.

use std::process::exit;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::output;

/// How the program ends when it was told to.
pub(crate) const INTERRUPTED: i32 = 130;
/// Signals that are further apart were not meant together, where they are meant for another program.
const IN_A_ROW: Duration = Duration::from_secs(2);
/// How long saying something may take before the program ends without it.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The ways to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Cancelled by the first signal while something is carried out.
    pub(crate) drain: CancellationToken,
    /// Cancelled by the second.
    pub(crate) abort: CancellationToken,
    heard: Arc<Mutex<Heard>>,
}

/// What the program is doing, as far as signals are concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Doing {
    /// Looking, waiting, asking or reading: nothing is lost when it ends.
    #[default]
    Nothing,
    /// Something that should be brought to an end.
    Work,
    /// Another program has the terminal, and Ctrl-C is meant for it.
    Lent,
}

/// The signals so far.
#[derive(Debug, Default)]
struct Heard {
    doing: Doing,
    /// Since it is being done.
    signals: u32,
    last: Option<Instant>,
}

/// What a signal brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Drain,
    Abort,
    End,
    Nothing,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM, on a thread of its own: a third signal ends the program whatever all others do.
    pub(crate) fn listen() -> Self {
        let stop = Self::default();
        let listening = stop.clone();
        let (listens, begun) = mpsc::channel();
        let listener = std::thread::Builder::new().name("signals".to_owned());
        // Without the thread, signals end the program, as they do without any program's doing.
        let _ = listener.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(listening.answer_signals(listens));
            }
        });
        // A signal that comes before would end the program, whatever is open by then.
        let _ = begun.recv();
        stop
    }

    /// Until what this gives is dropped, something is carried out that should be brought to an end.
    pub(crate) fn working(&self) -> Section {
        self.enter(Doing::Work)
    }

    /// Until what this gives is dropped, another program has the terminal.
    pub(crate) fn lent(&self) -> Section {
        self.enter(Doing::Lent)
    }

    fn enter(&self, doing: Doing) -> Section {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard { doing, ..Heard::default() };
        Section { heard: self.heard.clone() }
    }

    /// Answers signals, and says when it `listens` to them.
    async fn answer_signals(&self, listens: mpsc::Sender<()>) {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        let _ = listens.send(());
        loop {
            let by_hand = tokio::select! {
                _ = interrupt.recv() => true,
                _ = terminate.recv() => false,
            };
            let answer = self.heard.lock().unwrap_or_else(PoisonError::into_inner).next(Instant::now(), by_hand);
            match answer {
                Answer::Drain => self.drain.cancel(),
                Answer::Abort => self.abort.cancel(),
                Answer::End => end(),
                Answer::Nothing => {}
            }
        }
    }
}

/// Ends the program; what it says before that must not keep it.
#[expect(clippy::exit, reason = "whoever reads or waits elsewhere cannot be told to return")]
fn end() -> ! {
    let (said, done) = mpsc::channel();
    std::thread::spawn(move || {
        output::note("\nInterrupted. Nothing that was done is lost; the same command goes on from there.\n");
        // Nobody may be left who waits.
        let _ = said.send(());
    });
    let _ = done.recv_timeout(LAST_WORDS);
    exit(INTERRUPTED)
}

impl Heard {
    /// What one more signal brings about.
    fn next(&mut self, now: Instant, by_hand: bool) -> Answer {
        let in_a_row = self.last.is_some_and(|last| now.duration_since(last) <= IN_A_ROW);
        self.last = Some(now);
        self.signals = if self.doing == Doing::Lent && !in_a_row { 1 } else { self.signals + 1 };
        match (self.doing, self.signals) {
            (Doing::Nothing, _) | (_, 3..) => Answer::End,
            (Doing::Work, 1) => Answer::Drain,
            (Doing::Work, _) => Answer::Abort,
            (Doing::Lent, _) if by_hand => Answer::Nothing,
            (Doing::Lent, _) => Answer::End,
        }
    }
}

/// A part of the program's life in which signals mean something else.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Section {
    heard: Arc<Mutex<Heard>>,
}

impl Drop for Section {
    fn drop(&mut self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(doing: Doing, seconds: &[u64], by_hand: bool) -> Vec<Answer> {
        let (mut heard, began) = (Heard { doing, ..Heard::default() }, Instant::now());
        seconds.iter().map(|after| heard.next(began + Duration::from_secs(*after), by_hand)).collect()
    }

    #[test]
    fn work_is_brought_to_an_end_then_dropped_then_the_program_ends() {
        assert_eq!(answers(Doing::Work, &[0, 60, 120], true), [Answer::Drain, Answer::Abort, Answer::End]);
        assert_eq!(answers(Doing::Work, &[0, 1, 2], false), [Answer::Drain, Answer::Abort, Answer::End]);
    }

    #[test]
    fn where_nothing_is_carried_out_the_first_ends_the_program() {
        assert_eq!(answers(Doing::Nothing, &[0], true), [Answer::End]);
    }

    #[test]
    fn an_editor_keeps_its_signals_unless_three_come_in_a_row() {
        assert_eq!(answers(Doing::Lent, &[0, 10, 20, 30], true), [Answer::Nothing; 4]);
        assert_eq!(answers(Doing::Lent, &[0, 1, 2], true), [Answer::Nothing, Answer::Nothing, Answer::End]);
        assert_eq!(answers(Doing::Lent, &[0], false), [Answer::End]);
    }

    #[test]
    fn after_a_section_nothing_is_carried_out_any_more() {
        let stop = Stop::default();
        let section = stop.working();
        assert_eq!(stop.heard.lock().unwrap().doing, Doing::Work);
        drop(section);
        assert_eq!(stop.heard.lock().unwrap().doing, Doing::Nothing);
    }
}
