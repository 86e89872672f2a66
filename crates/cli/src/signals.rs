//! Ctrl-C: the first stops starting actions, the second drops the running ones.

use tokio_util::sync::CancellationToken;

/// The two ways to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Cancelled by the first signal.
    pub(crate) drain: CancellationToken,
    /// Cancelled by the second.
    pub(crate) abort: CancellationToken,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM.
    pub(crate) fn listen() -> Self {
        let stop = Self::default();
        let listening = stop.clone();
        tokio::spawn(async move {
            wait_for_signal().await;
            listening.drain.cancel();
            wait_for_signal().await;
            listening.abort.cancel();
        });
        stop
    }
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
