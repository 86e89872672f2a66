//! Asks a DNS server for the API's name until it answers: the program that the probe runs in a machine's network.

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The service address of cluster DNS on both sides.
pub(super) const SERVER: &str = "10.96.0.10";
/// What is asked for.
const NAME: &str = "kubernetes.default.svc.cluster.local";
/// How long one question waits: an answer within the cluster takes a millisecond.
const TIMEOUT: Duration = Duration::from_millis(100);
/// Identifies question and answer.
const ID: [u8; 2] = [0x4b, 0x57];

/// Returns when the server has given an address. Whoever started it ends it when that takes too long.
pub(crate) fn ask(server: &str) -> Result<()> {
    let question = question(NAME);
    let mut answer = [0; 512];
    loop {
        // A socket of its own for each question: no old connection remembers where the service led to before.
        let socket = UdpSocket::bind("0.0.0.0:0").context("cannot open a socket")?;
        socket.set_read_timeout(Some(TIMEOUT)).context("cannot limit the wait")?;
        let asked = socket.connect((server, 53)).and_then(|()| socket.send(&question));
        match asked.and_then(|_| socket.recv(&mut answer)) {
            Ok(length) if is_answer(answer.get(..length).unwrap_or_default()) => return Ok(()),
            // Refused at once where nobody serves the address yet.
            _ => std::thread::sleep(TIMEOUT / 5),
        }
    }
}

/// A question for the IPv4 address of `name` (RFC 1035, section 4).
fn question(name: &str) -> Vec<u8> {
    let mut message = ID.to_vec();
    // Recursion desired; one question, no records.
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        message.extend(label.bytes());
    }
    // The root; type A, class IN.
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// Whether a message answers the question, without an error and with at least one record.
fn is_answer(message: &[u8]) -> bool {
    match message {
        // The lower half of the second byte of flags is the error.
        [one, other, flags, more_flags, _, _, high, low, ..] => {
            [*one, *other] == ID && flags & 0x80 != 0 && more_flags % 16 == 0 && (*high, *low) != (0, 0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_the_name_label_by_label() {
        let question = question("a.bc");
        assert_eq!(question[12..], [1, b'a', 2, b'b', b'c', 0, 0, 1, 0, 1]);
    }

    #[test]
    fn only_an_answer_with_a_record_and_without_an_error_counts() {
        let answer = |flags: [u8; 2], records: u8| [ID[0], ID[1], flags[0], flags[1], 0, 1, 0, records, 0, 0, 0, 0];
        assert!(is_answer(&answer([0x85, 0x80], 1)));
        assert!(!is_answer(&answer([0x85, 0x83], 1)), "no such name");
        assert!(!is_answer(&answer([0x85, 0x80], 0)), "no record");
        assert!(!is_answer(&answer([0x01, 0x00], 1)), "a question");
        assert!(!is_answer(&[]));
    }
}
