//! Events as lines or as a live view on standard error.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{Event, EventSink};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::style::{CREATE, DELETE, DIM, UPDATE, paint};
use crate::words::duration;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A live view: one spinner per running action. For terminals.
    Live,
    /// One line per start and end. For logs and pipes.
    Lines,
    /// One JSON object per event.
    Json,
    /// Nothing.
    Silent,
}

struct Running {
    bar: ProgressBar,
}

struct Inner {
    running: BTreeMap<String, Running>,
    last_note: BTreeMap<String, (String, Instant)>,
    done: usize,
    total: usize,
}

/// Shows events on standard error.
pub struct Progress {
    mode: Mode,
    bars: MultiProgress,
    inner: Mutex<Inner>,
}

impl Progress {
    /// A view in `mode`.
    pub fn new(mode: Mode) -> Self {
        let target = if mode == Mode::Live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            mode,
            bars: MultiProgress::with_draw_target(target),
            inner: Mutex::new(Inner { running: BTreeMap::new(), last_note: BTreeMap::new(), done: 0, total: 0 }),
        }
    }

    fn line(&self, text: &str) {
        match self.mode {
            Mode::Live => {
                // The terminal may be gone; the run goes on without its view.
                let _ = self.bars.println(text);
            }
            Mode::Lines => anstream_line(text),
            Mode::Json | Mode::Silent => {}
        }
    }

    fn start(&self, inner: &mut Inner, key: &str, text: &str) {
        if self.mode == Mode::Live {
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message(text.to_owned());
            inner.running.insert(key.to_owned(), Running { bar });
        }
    }

    fn note(&self, inner: &mut Inner, key: &str, note: &str) {
        if let Some(running) = inner.running.get(key) {
            running.bar.set_message(format!("{key}: {note}"));
            return;
        }
        // Lines are for logs: say a note again only when it changed, and long tasks at most every ten seconds.
        let quiet = inner.last_note.get(key).is_some_and(|(last, when)| {
            last == note || (self.mode == Mode::Lines && when.elapsed() < Duration::from_secs(10))
        });
        if !quiet {
            inner.last_note.insert(key.to_owned(), (note.to_owned(), Instant::now()));
            self.line(&format!("  {}", paint(DIM, format!("{key}: {note}"))));
        }
    }

    fn end(&self, inner: &mut Inner, key: &str) {
        inner.last_note.remove(key);
        if let Some(running) = inner.running.remove(key) {
            running.bar.finish_and_clear();
            self.bars.remove(&running.bar);
        }
    }

    fn show(&self, inner: &mut Inner, event: Event) {
        match event {
            Event::PhaseStarted { phase } => self.start(inner, &phase, &phase),
            Event::PhaseFinished { phase, millis, succeeded } => {
                self.end(inner, &phase);
                let sign = if succeeded { paint(CREATE, "✓") } else { paint(DELETE, "✗") };
                self.line(&format!("{sign} {phase} {}", paint(DIM, took(millis))));
            }
            Event::TaskProgress { task, done, total, note } => {
                if self.mode == Mode::Live && !inner.running.contains_key(&task) {
                    self.start(inner, &task, &task);
                }
                let share = match total {
                    Some(total) if total > 0 => format!("{}% ", done * 100 / total),
                    _ => String::new(),
                };
                self.note(inner, &task, &format!("{share}{note}"));
            }
            Event::TaskFinished { task, note } => {
                self.end(inner, &task);
                self.line(&format!("  {} {task}: {note}", paint(CREATE, "✓")));
            }
            Event::RunStarted { actions, .. } => {
                inner.total = actions;
                inner.done = 0;
            }
            Event::ActionStarted { action } => self.start(inner, action.as_str(), action.as_str()),
            Event::ActionProgress { action, note } => self.note(inner, action.as_str(), &note),
            Event::ActionRetried { action, attempt, why } => {
                self.line(&format!("  {} {action}: attempt {attempt} failed: {why}; trying again", paint(UPDATE, "!")));
            }
            Event::ActionSucceeded { action, millis } => {
                self.end(inner, action.as_str());
                inner.done += 1;
                let position = format!("[{}/{}]", inner.done, inner.total);
                self.line(&format!(
                    "  {} {} {action} {}",
                    paint(CREATE, "✓"),
                    paint(DIM, position),
                    paint(DIM, took(millis))
                ));
            }
            Event::ActionFailed { action, why, hint, output } => {
                self.end(inner, action.as_str());
                self.line(&format!("  {} {action}: {why}", paint(DELETE, "✗")));
                for line in output {
                    self.line(&format!("      {}", paint(DIM, line)));
                }
                if let Some(hint) = hint {
                    self.line(&format!("      hint: {hint}"));
                }
            }
            Event::Draining => self
                .line("Stopping: running actions are finished, no new ones start. Press Ctrl-C again to stop at once."),
            // A failure early in a long plan skips most of it: the summary says how many, the JSON view has them all.
            Event::ActionSkipped { .. } | Event::RunFinished { .. } => {}
            Event::Note { text } => self.line(&text),
        }
    }
}

fn took(millis: u64) -> String {
    duration(Duration::from_millis(millis))
}

fn anstream_line(text: &str) {
    use std::io::Write as _;
    // Standard error may be closed; progress is not worth failing for.
    let _ = writeln!(anstream::stderr(), "{text}");
}

impl EventSink for Progress {
    fn emit(&self, event: Event) {
        match self.mode {
            Mode::Silent => {}
            Mode::Json => {
                if let Ok(text) = serde_json::to_string(&event) {
                    anstream_line(&text);
                }
            }
            Mode::Live | Mode::Lines => {
                let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                self.show(&mut inner, event);
            }
        }
    }
}
