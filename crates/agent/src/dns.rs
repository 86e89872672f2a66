//! One DNS question, written by hand because a static program has no name service (RFC 1035, section 4).

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// A lost datagram is asked for again soon.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Whether a server answers with an address; if not, what it says.
pub(crate) fn ask(server: SocketAddr, name: &str) -> Result<(), String> {
    let query = query(name).ok_or("not a DNS name")?;
    let answer = exchange(server, &query).map_err(|error| error.to_string())?;
    // Header: id (2 bytes), flags (2; the lowest 4 bits are the response code), counts of questions and answers.
    let [id0, id1, flags, code, _, _, answers0, answers1, ..] = answer[..] else { return Err("a cut answer".into()) };
    if [id0, id1] != query[..2] || flags & 0x80 == 0 {
        return Err("an answer to something else".into());
    }
    match (code & 0x0f, u16::from_be_bytes([answers0, answers1])) {
        (0, 0) => Err("no such address".into()),
        (0, _) => Ok(()),
        (3, _) => Err("no such name".into()),
        (code, _) => Err(format!("response code {code}")),
    }
}

fn exchange(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let local = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(local)?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.send(query)?;
    let mut answer = vec![0; 512];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// A question for A records, recursion desired. The socket is connected and short-lived, so the id may be fixed.
fn query(name: &str) -> Option<Vec<u8>> {
    let mut query = vec![0x6b, 0x77, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        query.push(length);
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    Some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_encoded_as_the_rfc_says() {
        let query = query("a.bc.").unwrap();
        assert_eq!(&query[12..], [1, b'a', 2, b'b', b'c', 0, 0, 1, 0, 1]);
    }

    #[test]
    fn what_is_no_name_is_not_asked() {
        assert!(query("a..b").is_none());
        assert!(query(&"x".repeat(64)).is_none());
    }
}
