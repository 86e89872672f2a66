//! Waits until a machine accepts SSH connections.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Machine, console, process};
use crate::LocalError;

/// How long a machine may take; a loaded host boots many at once.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long the supervisor may take to say who it is.
const FORKING: Duration = Duration::from_secs(10);
/// How long a supervisor must be missing to count as ended.
const GONE: Duration = Duration::from_millis(500);
/// How often is looked.
const PAUSE: Duration = Duration::from_millis(20);
/// SSH's port.
const SSH: u16 = 22;

/// Returns when the machine's SSH server accepts a connection.
///
/// Connections are tried only once the server listens: before, the first attempt would leave an unanswered ARP request
/// whose repetition is a second away.
pub(super) fn wait(machine: &Machine, cancel: &CancellationToken) -> Result<(), LocalError> {
    let (home, begin) = (&machine.home, Instant::now());
    let address = SocketAddr::from((machine.inputs.address, SSH));
    let mut missing: Option<Instant> = None;
    while begin.elapsed() < TIMEOUT {
        if cancel.is_cancelled() {
            return Err(LocalError::Cancelled);
        }
        match process::find(home)? {
            Some(supervisor) => {
                missing = None;
                if supervisor.leader().is_some_and(listens)
                    && TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
                {
                    return Ok(());
                }
            }
            // One look may fall between two steps of the start.
            None if home.pid_file().exists() && missing.get_or_insert_with(Instant::now).elapsed() < GONE => {}
            None if !home.pid_file().exists() && begin.elapsed() < FORKING => {}
            None => return Err(LocalError::Died { name: home.name.clone(), console: console::tail(home) }),
        }
        thread::sleep(PAUSE);
    }
    Err(LocalError::NotReady { name: home.name.clone(), seconds: TIMEOUT.as_secs(), console: console::tail(home) })
}

/// Whether something listens on SSH's port in the network namespace of a process.
fn listens(pid: i32) -> bool {
    ["tcp", "tcp6"].iter().any(|table| {
        let text = fs_err::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        has_listener(&text, SSH)
    })
}

/// Whether a table of /proc/net shows a listening socket (state 0A) on a port.
fn has_listener(table: &str, port: u16) -> bool {
    let port = format!(":{port:04X}");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(1).is_some_and(|local| local.ends_with(&port)) && fields.get(3) == Some(&"0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listening_socket_on_the_port_counts() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
            0: 00000000:0016 00000000:0000 0A 00000000:00000000\n\
            1: 0B00580A:9C40 0100580A:0050 01 00000000:00000000\n";
        assert!(has_listener(table, 22));
        assert!(!has_listener(table, 80) && !has_listener(table, 40_000) && !has_listener("", 22));
    }
}
