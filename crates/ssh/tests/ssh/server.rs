//! An SSH server in the test's own process: real programs by `sh -c`, and a few scripted misbehaviours.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Sig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the server saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) logins: AtomicUsize,
    pub(crate) open: AtomicUsize,
    pub(crate) most_open: AtomicUsize,
    pub(crate) signals: Mutex<Vec<String>>,
}

/// A running server; stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    accepting: JoinHandle<()>,
    connections: Connections,
}

/// A second handle of each connection's socket.
type Connections = Arc<Mutex<Vec<std::net::TcpStream>>>;

impl Server {
    pub(crate) async fn start(host: &PrivateKey, client: &PrivateKey) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), vec![host.clone()], client).await
    }

    pub(crate) async fn start_at(address: SocketAddr, host_keys: Vec<PrivateKey>, client: &PrivateKey) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(Config {
            keys: host_keys,
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            nodelay: true,
            ..Config::default()
        });
        let seen = Arc::new(Seen::default());
        let connections = Connections::default();
        let accepting = tokio::spawn(accept(
            listener,
            config,
            client.public_key().clone(),
            Arc::clone(&seen),
            Arc::clone(&connections),
        ));
        Self { address, seen, accepting, connections }
    }

    /// Cuts all connections, as a machine does that loses its power.
    pub(crate) fn cut(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    config: Arc<Config>,
    client: PublicKey,
    seen: Arc<Seen>,
    connections: Connections,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let login = Login { client: client.clone(), seen: Arc::clone(&seen), inputs: BTreeMap::new() };
        let config = Arc::clone(&config);
        let stream = stream.into_std().unwrap();
        connections.lock().unwrap().push(stream.try_clone().unwrap());
        let stream = TcpStream::from_std(stream).unwrap();
        tokio::spawn(async move {
            if let Ok(session) = russh::server::run_stream(config, stream, login).await {
                let _ = session.await;
            }
        });
    }
}

enum Fed {
    Data(Vec<u8>),
    Signal,
}

struct Login {
    client: PublicKey,
    seen: Arc<Seen>,
    inputs: BTreeMap<ChannelId, mpsc::UnboundedSender<Fed>>,
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        if user != "nobody" && key.public_key.key_data() == self.client.key_data() {
            self.seen.logins.fetch_add(1, Ordering::SeqCst);
            return Ok(Auth::Accept);
        }
        Ok(Auth::reject())
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let open = self.seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.most_open.fetch_max(open, Ordering::SeqCst);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8(command.to_vec()).unwrap();
        if script(&command) == Some("@refuse") {
            return session.channel_failure(channel);
        }
        session.channel_success(channel)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        self.inputs.insert(channel, sender);
        let (handle, seen) = (session.handle(), Arc::clone(&self.seen));
        tokio::spawn(async move {
            exec(handle, channel, command, receiver).await;
            seen.open.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(())
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], _session: &mut Session) -> Result<(), Self::Error> {
        if let Some(input) = self.inputs.get(&channel) {
            let _ = input.send(Fed::Data(data.to_vec()));
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        if let Some(input) = self.inputs.get(&channel) {
            let _ = input.send(Fed::Data(Vec::new()));
        }
        Ok(())
    }

    async fn signal(&mut self, channel: ChannelId, signal: Sig, _session: &mut Session) -> Result<(), Self::Error> {
        self.seen.signals.lock().unwrap().push(format!("{signal:?}"));
        if let Some(input) = self.inputs.get(&channel) {
            let _ = input.send(Fed::Signal);
        }
        Ok(())
    }
}

/// The scripted misbehaviour that a command asks for.
fn script(command: &str) -> Option<&str> {
    command.split(['\'', ' ']).find(|word| word.starts_with('@'))
}

async fn exec(handle: Handle, channel: ChannelId, command: String, input: mpsc::UnboundedReceiver<Fed>) {
    match script(&command) {
        Some("@hang-up") => {
            let _ = handle.data(channel, b"first line\n".to_vec()).await;
            let _ = handle.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await;
        }
        Some("@status-after-eof") => {
            let _ = handle.data(channel, b"line".to_vec()).await;
            let _ = handle.eof(channel).await;
            let _ = handle.exit_status_request(channel, 7).await;
            let _ = handle.close(channel).await;
        }
        Some("@no-status") => {
            let _ = handle.eof(channel).await;
            let _ = handle.close(channel).await;
        }
        _ => shell(handle, channel, command, input).await,
    }
}

async fn shell(handle: Handle, channel: ChannelId, command: String, mut input: mpsc::UnboundedReceiver<Fed>) {
    let mut child = Command::new("sh")
        .args(["-c", &command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take();
    let stdout = tokio::spawn(copy(handle.clone(), channel, None, child.stdout.take().unwrap()));
    let stderr = tokio::spawn(copy(handle.clone(), channel, Some(1), child.stderr.take().unwrap()));
    let mut signalled = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.unwrap(),
            fed = input.recv() => match fed {
                Some(Fed::Data(data)) if data.is_empty() => stdin = None,
                Some(Fed::Data(data)) => {
                    if let Some(stdin) = &mut stdin {
                        let _ = stdin.write_all(&data).await;
                    }
                }
                Some(Fed::Signal) => {
                    signalled = true;
                    // All of them, as sshd does it.
                    let group = format!("-{}", child.id().unwrap());
                    let _ = Command::new("kill").args(["-TERM", "--", &group]).status().await;
                }
                // The connection is gone; the program ends by itself, as with a real server.
                None => break child.wait().await.unwrap(),
            }
        }
    };
    let _ = (stdout.await, stderr.await);
    let _ = handle.eof(channel).await;
    if signalled {
        let _ = handle.exit_signal_request(channel, Sig::TERM, false, String::new(), String::new()).await;
    } else {
        let _ = handle.exit_status_request(channel, status.code().unwrap_or(255).unsigned_abs()).await;
    }
    let _ = handle.close(channel).await;
}

async fn copy(handle: Handle, channel: ChannelId, extended: Option<u32>, mut from: impl AsyncReadExt + Unpin) {
    let mut buffer = vec![0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let data = buffer[..length].to_vec();
        let _ = match extended {
            None => handle.data(channel, data).await.map_err(drop),
            Some(extended) => handle.extended_data(channel, extended, data).await.map_err(drop),
        };
    }
}
