//! An S3 API server: moto, one process for all tests that run at the same time.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How often, each after a tenth of a second, is looked whether the server answers.
const LOOKS: u32 = 900;

/// A running server, killed when the last test lets go of it.
pub(crate) struct Moto {
    server: Child,
    port: u16,
}

impl Moto {
    /// The server that runs, or a new one.
    pub(crate) fn get() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moto) = running.upgrade() {
            return moto;
        }
        let moto = Arc::new(Self::start());
        *running = Arc::downgrade(&moto);
        moto
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start() -> Self {
        // Somebody else may take the port before the server does.
        (0..3).find_map(|_| Self::try_start()).expect("moto_server starts and answers")
    }

    fn try_start() -> Option<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let program = program();
        let server = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "these tests need an S3 server, and {program} does not start: {error}\n\
                        `cargo xtask test` provides it; or: pip install 'moto[server,s3]', or set KUBEWRIGHT_MOTO"
                )
            });
        let mut moto = Self { server, port };
        for _ in 0..LOOKS {
            if moto.answers() {
                return Some(moto);
            }
            if moto.server.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    fn answers(&self) -> bool {
        let Ok(mut connection) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let _ = connection.set_read_timeout(Some(Duration::from_secs(10)));
        let mut answer = [0; 12];
        connection.write_all(b"GET /moto-api/ HTTP/1.0\r\n\r\n").is_ok()
            && connection.read_exact(&mut answer).is_ok()
            && answer.ends_with(b" 200")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says here where the server is")]
fn program() -> String {
    std::env::var("KUBEWRIGHT_MOTO").unwrap_or_else(|_| "moto_server".to_owned())
}
