//! One plain HTTP GET, enough for health endpoints on loopback addresses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::gates::TIMEOUT;

/// Whether the answer is 200; if not, what it is.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<(), String> {
    let status = status(address, path).map_err(|error| error.to_string())?;
    // "HTTP/1.1 200 OK"
    match status.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        _ => Err(format!("the answer is {status:?}")),
    }
}

fn status(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    // The status line fits; the body is of no interest.
    let mut answer = [0; 256];
    let mut length = 0;
    while length < answer.len() && !answer[..length].contains(&b'\n') {
        match stream.read(&mut answer[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_string())
}
