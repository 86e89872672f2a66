//! Programs: input, output, how they end, and what ends them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::{Host, HostConnector, HostError};
use ssh::SshConnector;
use tokio::sync::mpsc;

use crate::keys::{TIMEOUT, ed25519, run, target};
use crate::server::Server;

async fn machine() -> (Server, Arc<dyn Host>) {
    let server = Server::start(&ed25519(1), &ed25519(2)).await;
    let target = target(server.address, &ed25519(1), &ed25519(2));
    let host = SshConnector::new().connect(&target, TIMEOUT).await.unwrap();
    (server, host)
}

#[tokio::test]
async fn input_goes_in_and_lines_come_out() {
    let (_server, host) = machine().await;
    let (exit, lines) = run(host.as_ref(), "cat; echo end", "one\ntwo ä\nthree".as_bytes()).await.unwrap();
    assert_eq!((exit.status, lines), (0, vec!["one".into(), "two ä".into(), "threeend".into()]));
}

#[tokio::test]
async fn megabytes_go_both_ways_at_once() {
    let (_server, host) = machine().await;
    let input: Vec<u8> = (0..50_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
    let (exit, lines) = run(host.as_ref(), "cat", &input).await.unwrap();
    assert_eq!((exit.status, lines.len()), (0, 50_000));
    assert_eq!(lines.last().map(String::as_str), Some("line 49999"));
}

#[tokio::test]
async fn a_failure_has_its_status_and_its_last_words() {
    let (_server, host) = machine().await;
    let command = "i=0; while [ $i -lt 40 ]; do echo err $i >&2; i=$((i+1)); done; exit 3";
    let (exit, _) = run(host.as_ref(), command, b"").await.unwrap();
    assert_eq!((exit.status, exit.stderr.len(), exit.stderr[19].as_str()), (3, 20, "err 39"));
}

#[tokio::test]
async fn a_program_that_is_not_there_ends_with_127() {
    let (_server, host) = machine().await;
    assert_eq!(run(host.as_ref(), "/nowhere/agent", b"input").await.unwrap().0.status, 127);
}

#[tokio::test]
async fn a_status_after_the_end_of_output_is_not_missed() {
    let (_server, host) = machine().await;
    let (exit, lines) = run(host.as_ref(), "@status-after-eof", b"").await.unwrap();
    assert_eq!((exit.status, lines), (7, vec!["line".to_owned()]));
}

#[tokio::test]
async fn a_lost_link_has_no_status_but_keeps_what_was_heard() {
    let (_server, host) = machine().await;
    let (exit, lines) = run(host.as_ref(), "@hang-up", b"").await.unwrap();
    assert_eq!((exit.status, lines), (-1, vec!["first line".to_owned()]));
    let after = run(host.as_ref(), "true", b"").await;
    assert!(matches!(after, Err(HostError::Unreachable { .. })), "{after:?}");
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_ends_the_wait() {
    let (server, host) = machine().await;
    let cut = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.cut();
    };
    let (ended, ()) = tokio::join!(run(host.as_ref(), "echo begun; sleep 3", b""), cut);
    let (exit, lines) = ended.unwrap();
    assert_eq!((exit.status, lines), (-1, vec!["begun".to_owned()]));
}

#[tokio::test]
async fn a_channel_closed_without_a_status_has_none() {
    let (_server, host) = machine().await;
    assert_eq!(run(host.as_ref(), "@no-status", b"").await.unwrap().0.status, -1);
}

#[tokio::test]
async fn a_server_that_runs_no_programs_says_so() {
    let (_server, host) = machine().await;
    let error = run(host.as_ref(), "@refuse", b"").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot reach cp-1: its SSH server does not run programs");
}

#[tokio::test]
async fn a_program_nobody_waits_for_any_more_is_ended() {
    let (server, host) = machine().await;
    let (sender, mut lines) = mpsc::channel(4);
    {
        let program = host.run("echo begun; sleep 1000", Vec::new(), sender);
        tokio::pin!(program);
        tokio::select! {
            _ = &mut program => panic!("ended by itself"),
            line = lines.recv() => assert_eq!(line.as_deref(), Some("begun")),
        }
    }
    while server.seen.open.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(*server.seen.signals.lock().unwrap(), ["TERM"]);
}

#[tokio::test]
async fn a_program_that_ended_by_itself_gets_no_signal() {
    let (server, host) = machine().await;
    run(host.as_ref(), "true", b"").await.unwrap();
    run(host.as_ref(), "true", b"").await.unwrap();
    assert!(server.seen.signals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn lines_that_nobody_takes_do_not_block_the_connection() {
    let (_server, host) = machine().await;
    let (sender, mut unread) = mpsc::channel(1);
    let flood = host.run("yes | head -c 40000", Vec::new(), sender);
    tokio::pin!(flood);
    let other = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        run(host.as_ref(), "echo through", b"").await.unwrap().1
    };
    tokio::select! {
        _ = &mut flood => panic!("nobody read its lines"),
        lines = other => assert_eq!(lines, ["through"]),
    }
    let rest = async {
        let mut count = 0;
        while unread.recv().await.is_some() {
            count += 1;
        }
        count
    };
    let (exit, count) = tokio::join!(flood, rest);
    assert_eq!((exit.unwrap().status, count), (0, 20_000));
}

#[tokio::test]
async fn a_listener_that_went_away_does_not_stop_the_program() {
    let (_server, host) = machine().await;
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    assert_eq!(host.run("seq 100000; exit 5", Vec::new(), sender).await.unwrap().status, 5);
}

#[tokio::test]
async fn at_most_eight_channels_are_open_at_once() {
    let (server, host) = machine().await;
    let all: Vec<_> = (0..30)
        .map(|_| {
            let host = Arc::clone(&host);
            tokio::spawn(async move { run(host.as_ref(), "sleep 0.05", b"").await.unwrap().0.status })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), 0);
    }
    let most = server.seen.most_open.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most}");
}
