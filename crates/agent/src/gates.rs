//! Waiting for the conditions at the end of an apply.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use machine::{Gate, validate};

use crate::dns;
use crate::etcd;
use crate::failure::{Failure, Outcome};
use crate::http;
use crate::members;
use crate::replies::Replies;
use crate::system::System;
use crate::waiting;

/// How long one look may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// Waits until a gate is open.
pub(crate) fn wait(system: &System, gate: &Gate, replies: &mut Replies<'_>) -> Outcome<()> {
    let name = name(gate);
    let limit = Duration::from_secs(timeout(gate));
    let item = format!("gate/{name}");
    let opened = waiting::until(&item, name, limit, replies, || check_once(system, gate))?;
    opened.map_err(|why| Failure::new(item, format!("not open after {} s: {why}", limit.as_secs())))
}

/// One look: open, or why not. The outer failure is one that waiting does not cure.
fn check_once(system: &System, gate: &Gate) -> Outcome<Result<(), String>> {
    Ok(match gate {
        Gate::Http { name, address, path, .. } => http::get(validate::socket(name, address)?, path),
        Gate::Tcp { name, address, .. } => connect(validate::socket(name, address)?),
        Gate::Dns { server, name, .. } => {
            etcd::may_start(system)?;
            dns::ask(validate::dns_server(name, server)?, name)
        }
        Gate::EtcdMembers { names, .. } => members::complete(system, names),
        Gate::File { path, .. } => {
            if system.exists(path) {
                Ok(())
            } else {
                Err("it does not exist".into())
            }
        }
    })
}

fn connect(address: SocketAddr) -> Result<(), String> {
    TcpStream::connect_timeout(&address, TIMEOUT).map(drop).map_err(|error| error.to_string())
}

fn name(gate: &Gate) -> &str {
    match gate {
        Gate::Http { name, .. } | Gate::Tcp { name, .. } | Gate::Dns { name, .. } => name,
        Gate::File { path, .. } => path,
        Gate::EtcdMembers { .. } => "etcd's members",
    }
}

fn timeout(gate: &Gate) -> u64 {
    match gate {
        Gate::Http { timeout_seconds, .. }
        | Gate::Tcp { timeout_seconds, .. }
        | Gate::Dns { timeout_seconds, .. }
        | Gate::EtcdMembers { timeout_seconds, .. }
        | Gate::File { timeout_seconds, .. } => *timeout_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::World;
    use std::io::{Read, Write};
    use std::net::{TcpListener, UdpSocket};

    fn waited(gate: &Gate) -> Outcome<()> {
        let world = World::new();
        let mut out = Vec::new();
        wait(&world.system, gate, &mut Replies::new(&mut out))
    }

    #[test]
    fn a_closed_gate_fails_with_the_reason_after_its_time() {
        let failure = waited(&Gate::File { path: "/never".into(), timeout_seconds: 0 }).unwrap_err();
        assert_eq!(failure.item, "gate//never");
        assert!(failure.why.contains("does not exist"), "{}", failure.why);
    }

    #[test]
    fn an_http_gate_opens_at_the_first_200() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            for status in ["500 Internal Server Error", "200 OK"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 512];
                let length = stream.read(&mut request).unwrap();
                assert!(request[..length].starts_with(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1"));
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok").unwrap();
            }
        });
        let gate = Gate::Http { name: "healthz".into(), address, path: "/healthz".into(), timeout_seconds: 20 };
        assert_eq!(waited(&gate), Ok(()));
        server.join().unwrap();
    }

    #[test]
    fn a_tcp_gate_opens_when_the_port_accepts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(waited(&Gate::Tcp { name: "x".into(), address: address.clone(), timeout_seconds: 20 }), Ok(()));
        drop(listener);
        assert!(waited(&Gate::Tcp { name: "x".into(), address, timeout_seconds: 0 }).is_err());
    }

    #[test]
    fn a_dns_gate_does_not_wait_where_etcd_is_held_back() {
        let world = World::new();
        world.write(etcd::HELD, "");
        let gate = Gate::Dns { server: "127.0.0.1".into(), name: "x".into(), timeout_seconds: 3600 };
        let mut out = Vec::new();
        let failure = wait(&world.system, &gate, &mut Replies::new(&mut out)).unwrap_err();
        assert_eq!(failure.item, "etcd");
        assert!(failure.why.contains("/var/lib/etcd/member is gone"), "{}", failure.why);
        assert!(failure.hint.unwrap().contains("--forget-etcd-data"));
    }

    #[test]
    fn a_dns_gate_does_not_wait_where_etcds_disk_cannot_be_read() {
        let world = World::new();
        world.write(etcd::MANIFEST, "");
        // A directory that can't be listed; by root only this one.
        world.link("/var/lib/etcd/member/wal", "wal");
        let gate = Gate::Dns { server: "127.0.0.1".into(), name: "x".into(), timeout_seconds: 3600 };
        let mut out = Vec::new();
        let failure = wait(&world.system, &gate, &mut Replies::new(&mut out)).unwrap_err();
        assert!(failure.why.contains("can't be seen"), "{}", failure.why);
        assert!(failure.hint.unwrap().contains("/var/lib/etcd"));
    }

    #[test]
    fn a_dns_gate_opens_at_an_answer_with_an_address() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        let thread = std::thread::spawn(move || {
            // First nothing of that name (NXDOMAIN), then an answer.
            for (code, answers) in [(3, 0), (0, 1)] {
                let mut query = [0; 512];
                let (length, from) = server.recv_from(&mut query).unwrap();
                assert_eq!(&query[12..length - 4], b"\x0akubernetes\x07default\x00");
                query[2] |= 0x80;
                query[3] = code;
                query[7] = answers;
                server.send_to(&query[..length], from).unwrap();
            }
        });
        let gate = Gate::Dns { server: address, name: "kubernetes.default".into(), timeout_seconds: 20 };
        assert_eq!(waited(&gate), Ok(()));
        thread.join().unwrap();
    }
}
