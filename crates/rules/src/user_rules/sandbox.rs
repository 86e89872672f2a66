//! A thread of its own for the evaluation of the user's expressions, so that no expression takes the program down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

/// Room for the deepest expression that the parser takes: it descends by many frames a level.
const STACK: usize = 128 << 20;

/// Why nothing came of some work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It panicked, or no thread could be had for it.
    Failed,
    /// It did not end in time. Its thread goes on until the program ends.
    TooLong,
}

/// Does `work` apart, for at most `limit`.
pub(super) fn apart<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Broken> {
    let (sender, receiver) = channel();
    let guarded = move || {
        // Nobody listens any more when it took too long.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    };
    Builder::new().name("plan rules".to_owned()).stack_size(STACK).spawn(guarded).map_err(|_| Broken::Failed)?;
    match receiver.recv_timeout(limit) {
        Ok(done) => done.map_err(|_| Broken::Failed),
        Err(RecvTimeoutError::Timeout) => Err(Broken::TooLong),
        Err(RecvTimeoutError::Disconnected) => Err(Broken::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_work_without_end_are_told_apart_and_survived() {
        let timeout = Duration::from_mins(1);
        assert_eq!(apart(timeout, || 3), Ok(3));
        assert_eq!(apart(timeout, || -> u8 { panic!("on purpose") }), Err(Broken::Failed));
        let endless = || -> u8 {
            loop {
                std::thread::park();
            }
        };
        assert_eq!(apart(Duration::from_millis(20), endless), Err(Broken::TooLong));
    }
}
