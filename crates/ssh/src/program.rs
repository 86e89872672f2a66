//! One program on a machine: fed, listened to, and ended when nobody waits for it any more.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::Exit;
use russh::client::{Handle, Msg};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::input::Input;
use crate::lines::{Lines, Tail};
use crate::pinned::PinnedKey;
use crate::quote::{kill, marked, process_group};

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);
/// How long a server may take for a small thing, such as closing a channel.
const CLOSING: Duration = Duration::from_secs(2);

/// Why a program could not be run to its end.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The server does not run programs.
    Refused,
    /// The connection was lost before the program was started.
    Lost(russh::Error),
    /// Its input could not be read.
    Input(std::io::Error),
}

/// A channel on which a program runs. Dropped before its end, it ends the program.
pub(crate) struct Program {
    parts: Option<Parts>,
}

struct Parts {
    read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
    session: Session,
    /// Its process group, once it said so.
    group: Arc<OnceLock<u32>>,
}

/// What a program runs in.
pub(crate) struct Session {
    handle: Arc<Handle<PinnedKey>>,
    user: String,
    _permit: OwnedSemaphorePermit,
}

impl Session {
    /// On this connection, by this user; `permit` is given back when the channel is closed.
    pub(crate) fn new(handle: Arc<Handle<PinnedKey>>, user: String, permit: OwnedSemaphorePermit) -> Self {
        Self { handle, user, _permit: permit }
    }
}

impl Program {
    /// Starts `command` on a fresh channel.
    pub(crate) async fn start(channel: russh::Channel<Msg>, session: Session, command: &str) -> Result<Self, Broken> {
        let command = marked(&session.user, command);
        let (read, write) = channel.split();
        write.exec(true, command).await.map_err(Broken::Lost)?;
        Ok(Self { parts: Some(Parts { read, write, session, group: Arc::default() }) })
    }

    /// Feeds it and hands its lines on until it ends.
    ///
    /// The channel is read all the time, because an unread one blocks the whole connection.
    pub(crate) async fn finish(mut self, input: &mut impl Input, lines: mpsc::Sender<String>) -> Result<Exit, Broken> {
        let Some(parts) = self.parts.as_mut() else {
            return Err(Broken::Lost(russh::Error::Disconnect));
        };
        let mut listener = Listener::new(lines, Arc::clone(&parts.group));
        {
            let feed = feed(&parts.write, input);
            let listen = listener.listen(&mut parts.read);
            tokio::pin!(feed, listen);
            let mut fed = false;
            loop {
                tokio::select! {
                    () = &mut listen => break,
                    result = &mut feed, if !fed => {
                        result.map_err(Broken::Input)?;
                        fed = true;
                    }
                }
            }
        }
        if listener.refused {
            return Err(Broken::Refused);
        }
        // Ended by itself: nothing to signal.
        self.parts = None;
        Ok(listener.exit().await)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let (Some(parts), Ok(runtime)) = (self.parts.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(end(parts));
        }
    }
}

/// Ends a program: closing its channel alone would leave it running.
async fn end(mut parts: Parts) {
    terminate(&mut parts, Sig::TERM, "TERM").await;
    if timeout(GRACE, drain(&mut parts.read)).await.is_err() {
        terminate(&mut parts, Sig::KILL, "KILL").await;
        let _ = parts.write.close().await;
        let _ = timeout(CLOSING, drain(&mut parts.read)).await;
    }
}

/// Sends a signal both ways: by the protocol, and by a `kill` where the server does not pass signals on.
async fn terminate(parts: &mut Parts, signal: Sig, name: &str) {
    let _ = parts.write.signal(signal).await;
    let group = match parts.group.get() {
        Some(group) => Some(*group),
        None => timeout(CLOSING, first_mark(&mut parts.read)).await.ok().flatten(),
    };
    if let Some(group) = group {
        let _ = timeout(CLOSING, run_quietly(&parts.session, &kill(&parts.session.user, name, group))).await;
    }
}

/// The process group of a program that did not come to say it yet.
async fn first_mark(read: &mut ChannelReadHalf) -> Option<u32> {
    let mut lines = Lines::default();
    while let Some(message) = read.wait().await {
        if let ChannelMsg::Data { data } = message
            && let Some(group) = lines.push(&data).iter().find_map(|line| process_group(line))
        {
            return Some(group);
        }
    }
    None
}

async fn run_quietly(session: &Session, command: &str) -> Result<(), russh::Error> {
    let mut channel = session.handle.channel_open_session().await?;
    channel.exec(true, command).await?;
    while channel.wait().await.is_some() {}
    Ok(())
}

async fn drain(read: &mut ChannelReadHalf) {
    while read.wait().await.is_some() {}
}

async fn feed(write: &ChannelWriteHalf<Msg>, input: &mut impl Input) -> std::io::Result<()> {
    while let Some(piece) = input.next().await? {
        if write.data_bytes(piece).await.is_err() {
            // The listener notices a lost connection.
            return Ok(());
        }
    }
    let _ = write.eof().await;
    Ok(())
}

/// Takes a channel's messages; lines that nobody takes yet wait in a queue of its own.
struct Listener {
    lines: mpsc::Sender<String>,
    waiting: VecDeque<String>,
    stdout: Lines,
    stderr: Tail,
    status: Option<i32>,
    refused: bool,
    group: Arc<OnceLock<u32>>,
}

impl Listener {
    fn new(lines: mpsc::Sender<String>, group: Arc<OnceLock<u32>>) -> Self {
        Self {
            lines,
            group,
            waiting: VecDeque::new(),
            stdout: Lines::default(),
            stderr: Tail::default(),
            status: None,
            refused: false,
        }
    }

    /// Listens until the channel is closed; the exit status may come before or after the end of the output.
    async fn listen(&mut self, read: &mut ChannelReadHalf) {
        let lines = self.lines.clone();
        loop {
            tokio::select! {
                permit = lines.reserve(), if !self.waiting.is_empty() => match (permit, self.waiting.pop_front()) {
                    (Ok(permit), Some(line)) => {
                        permit.send(line);
                        self.hand_on_waiting();
                    }
                    _ => self.waiting.clear(),
                },
                message = read.wait() => match message {
                    None => return,
                    Some(ChannelMsg::Failure) => {
                        self.refused = true;
                        return;
                    }
                    Some(message) => self.take(message),
                }
            }
        }
    }

    fn take(&mut self, message: ChannelMsg) {
        match message {
            ChannelMsg::Data { data } => {
                for line in self.stdout.push(&data) {
                    self.hand_on(line);
                }
            }
            ChannelMsg::ExtendedData { data, ext: 1 } => self.stderr.push(&data),
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(i32::try_from(exit_status).unwrap_or(255)),
            ChannelMsg::ExitSignal { signal_name, .. } => self.status = Some(128 + number(&signal_name)),
            _ => {}
        }
    }

    fn hand_on(&mut self, line: String) {
        if self.group.get().is_none()
            && let Some(group) = process_group(&line)
        {
            let _ = self.group.set(group);
        } else if !self.waiting.is_empty() {
            self.waiting.push_back(line);
        } else if let Err(mpsc::error::TrySendError::Full(line)) = self.lines.try_send(line) {
            self.waiting.push_back(line);
        }
    }

    /// Hands on as many lines as are taken at once.
    fn hand_on_waiting(&mut self) {
        while let Ok(permit) = self.lines.try_reserve()
            && let Some(line) = self.waiting.pop_front()
        {
            permit.send(line);
        }
    }

    /// Hands on what is left, and says how the program ended.
    async fn exit(mut self) -> Exit {
        self.waiting.extend(self.stdout.finish());
        for line in self.waiting {
            if self.lines.send(line).await.is_err() {
                break;
            }
        }
        Exit { status: self.status.unwrap_or(-1), stderr: self.stderr.finish() }
    }
}

/// The number of a signal on Linux, as shells add it to 128.
fn number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(_) => 0,
    }
}
