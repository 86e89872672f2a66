//! Whom this host asks for names, and which of them its machines can ask.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// Where systemd-resolved listens. It answers nothing that does not come from the host's own loopback link.
const STUBS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 53), Ipv4Addr::new(127, 0, 0, 54)];

/// The host's resolvers, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolvers {
    /// Those that a machine can reach.
    pub reachable: Vec<Ipv4Addr>,
    /// The one that only the host itself can reach, such as dnsmasq or unbound on 127.0.0.1, where no other is there: machines
    /// ask it at their gateway.
    pub loopback: Option<Ipv4Addr>,
}

impl Resolvers {
    /// Those in `/etc/resolv.conf`; where systemd-resolved's stub hides them, its upstreams.
    pub fn of_this_host() -> Self {
        let texts = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"].map(fs_err::read_to_string);
        Self::read(&texts.map(Result::unwrap_or_default))
    }

    /// Whether machines have anybody to ask.
    pub fn is_empty(&self) -> bool {
        self.reachable.is_empty() && self.loopback.is_none()
    }

    /// Those in the first of some files that names any.
    fn read(texts: &[String]) -> Self {
        for text in texts {
            let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok());
            let (loopback, reachable): (Vec<Ipv4Addr>, _) = named.partition(Ipv4Addr::is_loopback);
            let loopback = loopback.into_iter().find(|address| reachable.is_empty() && !STUBS.contains(address));
            let found = Self { reachable, loopback };
            if !found.is_empty() {
                return found;
            }
        }
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> (Vec<String>, Option<String>) {
        let found = Resolvers::read(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let shown = |address: &Ipv4Addr| address.to_string();
        (found.reachable.iter().map(shown).collect(), found.loopback.as_ref().map(shown))
    }

    #[test]
    fn a_resolver_that_machines_reach_comes_before_one_on_loopback() {
        let text = "nameserver 127.0.0.1\nnameserver 10.0.0.2\noptions edns0\n";
        assert_eq!(read(&[text]), (vec!["10.0.0.2".to_owned()], None));
    }

    #[test]
    fn the_stub_of_systemd_resolved_hides_its_upstreams_and_answers_no_machine() {
        let stub = "nameserver 127.0.0.53\n";
        assert_eq!(read(&[stub, "nameserver 192.0.2.1\n"]), (vec!["192.0.2.1".to_owned()], None));
        assert_eq!(read(&[stub, ""]), (Vec::new(), None));
    }

    #[test]
    fn a_resolver_on_loopback_alone_is_asked_at_the_gateway() {
        assert_eq!(read(&["nameserver 127.0.0.1\nnameserver ::1\n"]), (Vec::new(), Some("127.0.0.1".to_owned())));
        assert_eq!(read(&["nameserver fe80::1%eth0\n"]), (Vec::new(), None));
    }
}
