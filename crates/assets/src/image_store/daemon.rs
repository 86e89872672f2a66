//! A containerd that runs while images are imported.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::configuration::{Configuration, socket};
use crate::AssetError;

/// What it is run for, in messages.
const WHAT: &str = "making the image store";
/// How long it may take to listen.
const STARTING: Duration = Duration::from_secs(30);
/// How long it may take to close its databases.
const STOPPING: Duration = Duration::from_secs(20);
/// How often is looked whether it listens.
const PAUSE: Duration = Duration::from_millis(20);
/// How many of its last lines an error shows.
const KEPT_LINES: usize = 20;

/// The running daemon; killed when dropped.
pub(super) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `containerd` with its root at `root` and waits until it listens. `state` is an empty directory.
    ///
    /// It gets a mount namespace of its own: layers are mounted while they are unpacked, and whatever happens to it, the
    /// host sees none of that.
    pub(super) async fn start(
        containerd: &Path,
        root: &Path,
        state: &Path,
        cancel: &CancellationToken,
    ) -> Result<Self, AssetError> {
        let io = |e| AssetError::io(format!("start {}", containerd.display()), state, e);
        let (file, log) = (state.join("config.toml"), state.join("log"));
        let text = toml::to_string(&Configuration::new(root, state))
            .map_err(|e| AssetError::Unreadable { what: "containerd's configuration".into(), why: e.to_string() })?;
        fs::write(&file, text).map_err(io)?;
        let output = fs::File::create(&log).map_err(io)?.into_parts().0;
        let child = Command::new("unshare")
            .args(["--mount", "--propagation", "private"])
            .arg(containerd)
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => {
                    AssetError::ToolMissing { tool: "unshare".into(), needed_for: WHAT.into() }
                }
                _ => io(source),
            })?;
        let mut daemon = Self { child, log };
        daemon.listens(&socket(state), cancel).await?;
        Ok(daemon)
    }

    async fn listens(&mut self, socket: &Path, cancel: &CancellationToken) -> Result<(), AssetError> {
        let waiting = async {
            loop {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Some(status);
                }
                if UnixStream::connect(socket).await.is_ok() {
                    return None;
                }
                sleep(PAUSE).await;
            }
        };
        let ended = tokio::select! {
            () = cancel.cancelled() => return Err(AssetError::Cancelled(WHAT.into())),
            ended = timeout(STARTING, waiting) => ended,
        };
        match ended {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failure(&status.to_string())),
            Err(_) => Err(self.failure("did not listen in time")),
        }
    }

    /// Ends the daemon, so that its databases are closed.
    pub(super) async fn stop(mut self) -> Result<(), AssetError> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM); // It may have ended by itself, which `wait` tells.
        }
        match timeout(STOPPING, self.child.wait()).await {
            Ok(Ok(status)) if ended_well(status) => Ok(()),
            Ok(Ok(status)) => Err(self.failure(&status.to_string())),
            Ok(Err(source)) => Err(AssetError::Io { what: "wait for containerd".into(), source }),
            Err(_) => Err(self.failure("did not end in time")),
        }
    }

    fn failure(&self, status: &str) -> AssetError {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let mut output: Vec<String> = text.lines().rev().take(KEPT_LINES).map(str::to_owned).collect();
        output.reverse();
        AssetError::BuildFailed { what: WHAT.into(), command: "containerd".into(), status: status.into(), output }
    }
}

/// containerd answers SIGTERM by closing everything and exiting with 0.
fn ended_well(status: ExitStatus) -> bool {
    status.success()
}
