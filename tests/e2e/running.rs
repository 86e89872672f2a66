//! A kubewright that runs beside the story, so that it can be watched and killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a program may say nothing while the story waits for it.
const PATIENCE: Duration = Duration::from_secs(600);

/// A point in a program's life.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// So long after its start.
    After(Duration),
    /// When it has finished this share of its actions.
    Share(f64),
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
    pub(crate) fn reaches(&mut self, moment: Moment) -> bool {
        loop {
            let patience = match moment {
                Moment::After(time) => time.saturating_sub(self.began.elapsed()),
                Moment::Share(share) if self.share() > share => return true,
                Moment::Share(_) => PATIENCE,
            };
            match self.lines.recv_timeout(patience) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) => {
                    assert!(matches!(moment, Moment::After(_)), "nothing happens any more: {:#?}", self.said);
                    return true;
                }
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// The share of its actions that are finished, from progress lines such as `✓ [3/74] create network/demo 27 ms`.
    fn share(&self) -> f64 {
        let numbers = |line: &String| {
            let (done, all) = line.split_once('[')?.1.split_once(']')?.0.split_once('/')?;
            Some(done.parse::<f64>().ok()? / all.parse::<f64>().ok()?)
        };
        self.said.iter().rev().find_map(numbers).unwrap_or(0.0)
    }

    /// Kills it as `kill -9` does; gives the last thing that it said.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("the program is killed");
        self.child.wait().expect("the program ends");
        self.said.pop().unwrap_or_default()
    }

    /// Waits for its end; gives its status and everything that it said.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
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
