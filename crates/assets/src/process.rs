//! Runs a program of a build: its lines become progress, its last lines the error, and stopping ends its whole group.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::AssetError;

/// How many of the last lines an error shows.
const KEPT_LINES: usize = 20;
/// How long a stopped program may take to clean up.
const GRACE: Duration = Duration::from_secs(5);
/// How long killed programs may take to be gone: who is told that they are stopped may unmount what they wrote to.
const LAST_BREATH: Duration = Duration::from_secs(2);
/// How long a grandchild that keeps the pipes open is listened to after the program's end.
const STRAGGLERS: Duration = Duration::from_secs(1);

/// A program to run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// What is made by it, for messages: `building kubelet`.
    pub what: String,
    /// The program, found by PATH.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its working directory, when not the current one.
    pub directory: Option<PathBuf>,
    /// Variables set on top of this process' environment.
    pub environment: Vec<(String, OsString)>,
}

impl Program {
    /// The same with its temporary files in `directory`, which goes away with the build even when the program is killed.
    #[must_use]
    pub fn with_temporary_files_in(mut self, directory: &Path) -> Self {
        self.environment.push(("TMPDIR".to_owned(), directory.into()));
        self
    }
}

/// Runs `program` in a process group of its own, without input, and waits for its end.
///
/// # Errors
/// Those of [`ended`], and [`AssetError::BuildFailed`] with the last 20 lines, [`AssetError::DiskFull`] when they say so.
pub async fn run(
    program: &Program,
    cancel: &CancellationToken,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<(), AssetError> {
    let (status, last) = ended(program, cancel, line).await?;
    if status.success() { Ok(()) } else { Err(failure(program, status, last)) }
}

/// The same, for programs that fail in more than one way: how it ended, and its last 20 lines.
///
/// Every line of its output (both streams) goes to `line`. On cancellation the group gets SIGTERM, then SIGKILL, and is gone
/// when this returns.
///
/// # Errors
/// [`AssetError::ToolMissing`], [`AssetError::Cancelled`].
pub(crate) async fn ended(
    program: &Program,
    cancel: &CancellationToken,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<(ExitStatus, Vec<String>), AssetError> {
    let mut child = spawn(program)?;
    let group = Group::of(&child);
    let mut lines = read_lines(&mut child);
    let mut last = VecDeque::with_capacity(KEPT_LINES);
    let mut keep = |text: String| {
        line(&text);
        if last.len() == KEPT_LINES {
            last.pop_front();
        }
        last.push_back(text);
    };
    let status = loop {
        tokio::select! {
            () = cancel.cancelled() => {
                group.stop(&mut child).await;
                return Err(AssetError::Cancelled(program.what.clone()));
            }
            Some(text) = lines.recv() => keep(text),
            status = child.wait() => break status,
        }
    };
    let drain = async {
        while let Some(text) = lines.recv().await {
            keep(text);
        }
    };
    let _ = tokio::time::timeout(STRAGGLERS, drain).await;
    group.forget();
    let status = status.map_err(|source| failed_to(program, "wait for", source))?;
    Ok((status, last.into()))
}

/// Runs a short program and gives its standard output.
pub async fn output(program: &Program) -> Result<String, AssetError> {
    let done = command(program).output().await.map_err(|source| spawn_error(program, source))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    let lines: Vec<String> = text.lines().rev().take(KEPT_LINES).map(str::to_owned).collect();
    Err(failure(program, done.status, lines.into_iter().rev().collect()))
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.program);
    command.args(&program.arguments).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    command.envs(program.environment.iter().map(|(name, value)| (name, value)));
    if let Some(directory) = &program.directory {
        command.current_dir(directory);
    }
    command
}

fn spawn(program: &Program) -> Result<Child, AssetError> {
    let mut command = command(program);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|source| spawn_error(program, source))
}

fn spawn_error(program: &Program, source: io::Error) -> AssetError {
    // A missing working directory gives the same error kind as a missing program.
    let directory_is_there = program.directory.as_ref().is_none_or(|directory| directory.is_dir());
    if source.kind() == io::ErrorKind::NotFound && directory_is_there {
        AssetError::ToolMissing { tool: program.program.clone(), needed_for: program.what.clone() }
    } else {
        failed_to(program, "start", source)
    }
}

fn failed_to(program: &Program, what: &str, source: io::Error) -> AssetError {
    AssetError::Io { what: format!("{what} `{}` for {}", program.program, program.what), source }
}

/// Where a program writes, as far as that is known: the fullest disk first.
fn places(program: &Program) -> Vec<PathBuf> {
    let named = program.environment.iter().map(|(_, value)| value).chain(&program.arguments).map(PathBuf::from);
    let named = named.filter(|path| path.is_absolute() && path.is_dir());
    let mut places: Vec<PathBuf> = program.directory.iter().cloned().chain(named).collect();
    places.sort_by_key(|place| free(place).unwrap_or(u64::MAX));
    if places.is_empty() { vec![PathBuf::from("/")] } else { places }
}

/// Whether next to nothing can be written there.
fn is_full(place: &Path) -> bool {
    const NOTHING: u64 = 1 << 20;
    free(place).is_some_and(|free| free < NOTHING)
}

/// Bytes that can be written on the file system of `place`; `None` where it does not say.
fn free(place: &Path) -> Option<u64> {
    let there = rustix::fs::statvfs(place).ok()?;
    Some(there.f_bavail.saturating_mul(there.f_frsize)).filter(|_| there.f_blocks > 0)
}

pub(crate) fn failure(program: &Program, status: ExitStatus, output: Vec<String>) -> AssetError {
    // A linker that maps its output dies of a signal where another program would say it.
    let says_so = output.iter().any(|line| line.to_ascii_lowercase().contains("no space left on device"));
    let full = places(program).into_iter().find(|place| says_so || is_full(place));
    if let Some(path) = full {
        return AssetError::DiskFull { what: program.what.clone(), path };
    }
    AssetError::BuildFailed {
        what: program.what.clone(),
        command: program.program.clone(),
        status: status.to_string(),
        output,
    }
}

fn read_lines(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(64);
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(forward(stdout, sender.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(forward(stderr, sender));
    }
    receiver
}

async fn forward(stream: impl AsyncRead + Unpin, sender: mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if sender.send(text).await.is_err() {
            return;
        }
    }
}

/// The process group of a running program; killed when dropped before its end.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, signal); // It may have ended by itself.
        }
    }

    async fn stop(self, child: &mut Child) {
        self.signal(Signal::TERM);
        let _ = tokio::time::timeout(GRACE, child.wait()).await;
        self.signal(Signal::KILL);
        let gone = async {
            // The leader is waited for as well: as a zombie it would still count as one of the group.
            let _ = child.wait().await;
            while self.0.is_some_and(|group| test_kill_process_group(group).is_ok()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(LAST_BREATH, gone).await;
        self.forget();
    }

    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program {
            what: "testing".into(),
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            ..Program::default()
        }
    }

    #[tokio::test]
    async fn a_failure_shows_its_last_twenty_lines() {
        let program = shell("for i in $(seq 30); do echo line $i; done; exit 3");
        let error = run(&program, &CancellationToken::new(), &mut |_| ()).await.unwrap_err();
        let output = error.output();
        assert_eq!((output.len(), output[0].as_str(), output[19].as_str()), (20, "line 11", "line 30"));
        assert!(error.to_string().contains('3'), "{error}");
    }

    #[tokio::test]
    async fn a_full_disk_is_told_apart_from_other_failures() {
        let program = shell("echo 'write x.o: no space left on device' >&2; exit 1");
        let error = run(&program, &CancellationToken::new(), &mut |_| ()).await.unwrap_err();
        assert!(matches!(error, AssetError::DiskFull { .. }), "{error:?}");
    }

    #[test]
    fn places_that_are_named_are_looked_at_and_one_without_blocks_is_not_full() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let program = Program { arguments: vec![path.clone().into()], ..shell("") };
        assert_eq!(places(&program), std::slice::from_ref(&path));
        assert!(!is_full(&path) && !is_full(Path::new("/proc")));
        assert_eq!(places(&shell("")), [PathBuf::from("/")]);
    }

    #[tokio::test]
    async fn a_missing_program_is_named_with_what_needs_it() {
        let program = Program { program: "kubewright-no-such-tool".into(), ..shell("") };
        let error = run(&program, &CancellationToken::new(), &mut |_| ()).await.unwrap_err();
        assert_eq!(error.to_string(), "`kubewright-no-such-tool` is not installed, but testing needs it");
    }

    #[tokio::test]
    async fn stopping_ends_grandchildren_too() {
        let cancel = CancellationToken::new();
        let mut grandchild = None;
        let stop = cancel.clone();
        let program = shell("sleep 600 & echo $!; wait");
        let result = run(&program, &cancel, &mut |line| {
            grandchild = line.parse::<i32>().ok();
            stop.cancel();
        })
        .await;
        assert!(matches!(result, Err(AssetError::Cancelled(_))));
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", grandchild.unwrap())).unwrap_or_default();
        // Where nobody reaps orphans they stay as zombies, which hold nothing.
        assert!(stat.is_empty() || stat.contains(") Z "), "the grandchild still runs: {stat}");
    }
}
