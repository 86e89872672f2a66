//! Connections: whom they accept, how long they are tried, how they are shared.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::{HostConnector, HostError};
use resource::Secret;
use russh::keys::HashAlg;
use ssh::SshConnector;

use crate::keys::{TIMEOUT, ecdsa, ed25519, run, target};
use crate::server::Server;

/// A port nobody listens on right now.
async fn free_address() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn another_host_key_is_refused_at_once_and_both_are_shown() {
    let server = Server::start(&ed25519(1), &ed25519(2)).await;
    let target = target(server.address, &ed25519(9), &ed25519(2));
    let error = SshConnector::new().connect(&target, TIMEOUT).await.err().unwrap();
    let HostError::HostKey { shown, pinned, .. } = error else { panic!("{error}") };
    assert_eq!(shown, ed25519(1).public_key().fingerprint(HashAlg::Sha256).to_string());
    assert_eq!(pinned, ed25519(9).public_key().fingerprint(HashAlg::Sha256).to_string());
    assert_eq!(server.seen.logins.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_without_a_key_of_the_pinned_kind_is_refused() {
    let server = Server::start(&ecdsa(), &ed25519(2)).await;
    let target = target(server.address, &ed25519(1), &ed25519(2));
    let error = SshConnector::new().connect(&target, TIMEOUT).await.err().unwrap();
    assert!(matches!(&error, HostError::HostKey { shown, .. } if shown.contains("ecdsa")), "{error}");
}

#[tokio::test]
async fn of_several_host_keys_the_pinned_one_is_asked_for() {
    let pinned = ecdsa();
    let address = "127.0.0.1:0".parse().unwrap();
    let server = Server::start_at(address, vec![ed25519(1), pinned.clone()], &ed25519(2)).await;
    let target = target(server.address, &pinned, &ed25519(2));
    assert!(SshConnector::new().connect(&target, TIMEOUT).await.is_ok());
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again() {
    let server = Server::start(&ed25519(1), &ed25519(2)).await;
    let target = target(server.address, &ed25519(1), &ed25519(3));
    let error = SshConnector::new().connect(&target, Duration::from_mins(10)).await.err().unwrap();
    assert!(matches!(error, HostError::Login { .. }), "{error}");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_said_without_showing_them() {
    let mut target = target("127.0.0.1:1".parse().unwrap(), &ed25519(1), &ed25519(2));
    target.private_key = Secret::new("hunter2");
    let error = SshConnector::new().connect(&target, TIMEOUT).await.err().unwrap();
    assert_eq!(error.to_string(), "cannot use the private key for cp-1");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_machine_that_starts_late_is_waited_for() {
    let address = free_address().await;
    let target = target(address, &ed25519(1), &ed25519(2));
    let connector = SshConnector::new();
    let late = async {
        // A port that accepts and hangs up, as while sshd starts; then the real server.
        tokio::time::sleep(Duration::from_millis(120)).await;
        let starting = tokio::net::TcpListener::bind(address).await.unwrap();
        drop(starting.accept().await.unwrap());
        drop(starting);
        Server::start_at(address, vec![ed25519(1)], &ed25519(2)).await
    };
    let (host, server) = tokio::join!(connector.connect(&target, TIMEOUT), late);
    let (exit, _) = run(host.unwrap().as_ref(), "true", b"").await.unwrap();
    assert_eq!((exit.status, server.seen.logins.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn a_connection_that_times_out_says_why() {
    let target = target(free_address().await, &ed25519(1), &ed25519(2));
    let error = SshConnector::new().connect(&target, Duration::from_millis(200)).await.err().unwrap();
    let HostError::Unreachable { why, .. } = error else { panic!("{error}") };
    assert!(why.contains("refused") && why.contains("0.2 s"), "{why}");
}

#[tokio::test]
async fn a_silent_port_does_not_outlast_the_timeout() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(silent.local_addr().unwrap(), &ed25519(1), &ed25519(2));
    let error = SshConnector::new().connect(&target, Duration::from_millis(200)).await.err().unwrap();
    assert!(matches!(error, HostError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn all_share_one_connection() {
    let server = Server::start(&ed25519(1), &ed25519(2)).await;
    let target = target(server.address, &ed25519(1), &ed25519(2));
    let connector = Arc::new(SshConnector::new());
    let users = (0..6).map(|_| {
        let (connector, target) = (Arc::clone(&connector), target.clone());
        tokio::spawn(async move {
            let host = connector.connect(&target, TIMEOUT).await.unwrap();
            run(host.as_ref(), "true", b"").await.unwrap().0.status
        })
    });
    for user in users.collect::<Vec<_>>() {
        assert_eq!(user.await.unwrap(), 0);
    }
    assert_eq!(server.seen.logins.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let server = Server::start(&ed25519(1), &ed25519(2)).await;
    let target = target(server.address, &ed25519(1), &ed25519(2));
    let connector = SshConnector::new();
    connector.connect(&target, TIMEOUT).await.unwrap();
    server.cut();
    let host = connector.connect(&target, TIMEOUT).await.unwrap();
    assert_eq!(run(host.as_ref(), "echo here", b"").await.unwrap().1, ["here"]);
    assert_eq!(server.seen.logins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_machine_made_anew_under_its_old_name_gets_a_new_connection() {
    let old = Server::start(&ed25519(1), &ed25519(2)).await;
    let new = Server::start(&ed25519(4), &ed25519(2)).await;
    let connector = SshConnector::new();
    connector.connect(&target(old.address, &ed25519(1), &ed25519(2)), TIMEOUT).await.unwrap();
    connector.connect(&target(new.address, &ed25519(4), &ed25519(2)), TIMEOUT).await.unwrap();
    assert_eq!(new.seen.logins.load(Ordering::SeqCst), 1);
}
