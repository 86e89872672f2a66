//! A real S3 API server on a port of this machine: moto, started as a process and killed when it is dropped.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often, each after a tenth of a second, is looked whether the server answers.
const LOOKS: u32 = 900;
/// How often another port is tried: somebody else may take one before the server does.
const PORTS: u32 = 3;

/// A running server.
pub struct Moto {
    server: Child,
    port: u16,
}

impl Moto {
    /// Starts `program`, such as `moto_server`, and waits until it answers.
    pub fn start(program: &str) -> io::Result<Self> {
        for _ in 0..PORTS {
            if let Some(moto) = Self::try_start(program)? {
                return Ok(moto);
            }
        }
        Err(io::Error::other(format!("{program} starts, but does not answer")))
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        let request = format!("PUT /{name} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n");
        if self.is_fine(&request)? { Ok(()) } else { Err(io::Error::other(format!("no bucket {name} was made"))) }
    }

    fn try_start(program: &str) -> io::Result<Option<Self>> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut moto = Self { server: command.spawn()?, port };
        for _ in 0..LOOKS {
            if moto.is_fine("GET /moto-api/ HTTP/1.0\r\n\r\n").unwrap_or(false) {
                return Ok(Some(moto));
            }
            if moto.server.try_wait()?.is_some() {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(None)
    }

    /// Whether a request is answered with status 200.
    fn is_fine(&self, request: &str) -> io::Result<bool> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut answer = [0; 12];
        connection.write_all(request.as_bytes())?;
        connection.read_exact(&mut answer)?;
        Ok(answer.ends_with(b" 200"))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
