//! What each piece of a long task took, told when it ends and again at the end of all.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The pieces so far.
#[derive(Default)]
pub(crate) struct Times {
    pieces: Vec<Piece>,
}

struct Piece {
    name: &'static str,
    took: Duration,
    failed: bool,
}

impl Times {
    /// Does one piece, between two lines that name it.
    pub(crate) fn of(&mut self, name: &'static str, about: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("==> {name}: {about}");
        let began = Instant::now();
        let done = work();
        let piece = Piece { name, took: began.elapsed(), failed: done.is_err() };
        println!("<== {name} took {}", minutes(piece.took));
        self.pieces.push(piece);
        done
    }

    /// Prints all of them and their sum.
    pub(crate) fn print(&self) {
        let title = if self.pieces.iter().any(|piece| piece.failed) { "What each took:" } else { "All passed:" };
        println!("\n{title}");
        for Piece { name, took, failed } in &self.pieces {
            println!("  {name:<10} {}{}", minutes(*took), if *failed { "  FAILED" } else { "" });
        }
        println!("  {:<10} {}", "together", minutes(self.pieces.iter().map(|piece| piece.took).sum()));
    }
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}
