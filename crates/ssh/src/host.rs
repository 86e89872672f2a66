//! `Host` on one SSH connection.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::{Exit, Host, HostError, HostTarget};
use russh::client::{Handle, Msg};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::input::{Bytes, Input};
use crate::pinned::PinnedKey;
use crate::program::{Broken, Program, Session};
use crate::upload::upload;

/// Channels open at once; OpenSSH's `MaxSessions` is 10, and closing takes a moment.
const CHANNELS: usize = 8;

/// One connection to one machine.
pub(crate) struct SshHost {
    name: String,
    user: String,
    handle: Arc<Handle<PinnedKey>>,
    channels: Arc<Semaphore>,
}

impl SshHost {
    /// A host on a connection that is logged in.
    pub(crate) fn new(target: &HostTarget, handle: Handle<PinnedKey>) -> Self {
        Self {
            name: target.name.clone(),
            user: target.user.clone(),
            handle: Arc::new(handle),
            channels: Arc::new(Semaphore::new(CHANNELS)),
        }
    }

    /// The machine's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the other side answers within `limit`.
    ///
    /// A machine that was replaced leaves a connection that looks open until keepalives fail.
    pub(crate) async fn is_alive(&self, limit: Duration) -> bool {
        !self.handle.is_closed()
            && matches!(timeout(limit, self.handle.send_ping()).await, Ok(Ok(())))
            && !self.handle.is_closed()
    }

    /// Runs a command of any input to its end.
    pub(crate) async fn execute(
        &self,
        command: &str,
        input: &mut impl Input,
        lines: mpsc::Sender<String>,
    ) -> Result<Exit, HostError> {
        let (channel, permit) = self.open().await?;
        let session = Session::new(Arc::clone(&self.handle), self.user.clone(), permit);
        let program = Program::start(channel, session, command).await.map_err(|broken| self.broken(broken))?;
        program.finish(input, lines).await.map_err(|broken| self.broken(broken))
    }

    /// A free channel. Opened by a task of its own, so that a caller who goes away leaves no open channel behind.
    async fn open(&self) -> Result<(russh::Channel<Msg>, OwnedSemaphorePermit), HostError> {
        let handle = Arc::clone(&self.handle);
        let channels = Arc::clone(&self.channels);
        let (give, take) = oneshot::channel();
        tokio::spawn(async move {
            let Ok(permit) = channels.acquire_owned().await else { return };
            let opened = handle.channel_open_session().await.map(|channel| (channel, permit));
            if let Err(Ok((channel, _permit))) = give.send(opened) {
                let _ = channel.close().await;
            }
        });
        let opened = take.await.map_err(|_| self.unreachable("the connection was lost"))?;
        opened.map_err(|error| self.unreachable(error))
    }

    fn broken(&self, broken: Broken) -> HostError {
        match broken {
            Broken::Refused => self.unreachable("its SSH server does not run programs"),
            Broken::Lost(error) => self.unreachable(error),
            Broken::Input(error) => self.unusable_input(error),
        }
    }

    /// The error of a local file that cannot be sent.
    pub(crate) fn unusable_input(&self, error: std::io::Error) -> HostError {
        HostError::Unusable { name: self.name.clone(), what: "a local file".to_owned(), source: error.into() }
    }

    fn unreachable(&self, why: impl ToString) -> HostError {
        HostError::Unreachable { name: self.name.clone(), why: why.to_string() }
    }
}

#[async_trait]
impl Host for SshHost {
    async fn run(&self, command: &str, input: Vec<u8>, lines: mpsc::Sender<String>) -> Result<Exit, HostError> {
        self.execute(command, &mut Bytes::new(input), lines).await
    }

    async fn upload(&self, local: &Path, remote: &str, mode: u32) -> Result<(), HostError> {
        upload(self, local, remote, mode, &|_| {}).await
    }

    async fn upload_with_progress(
        &self,
        local: &Path,
        remote: &str,
        mode: u32,
        sent: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), HostError> {
        upload(self, local, remote, mode, sent).await
    }
}
