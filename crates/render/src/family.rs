//! How the addresses of a node are written in URLs.

use std::net::Ipv6Addr;

/// Family of a node's first address: what is a hole can't be looked at, so the caller says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AddressFamily {
    /// IPv4.
    #[default]
    V4,
    /// IPv6, written in brackets in URLs.
    V6,
}

impl AddressFamily {
    /// The loopback address.
    pub fn loopback(self) -> &'static str {
        match self {
            Self::V4 => "127.0.0.1",
            Self::V6 => "::1",
        }
    }

    /// The address that stands for all of the machine's addresses.
    pub fn unspecified(self) -> &'static str {
        match self {
            Self::V4 => "0.0.0.0",
            Self::V6 => "::",
        }
    }

    /// `host` and `port` as in a URL.
    pub fn join(self, host: &str, port: u16) -> String {
        match self {
            Self::V4 => format!("{host}:{port}"),
            Self::V6 => format!("[{host}]:{port}"),
        }
    }
}

/// A host and a port as in a URL: an IPv6 address stands in brackets.
pub fn host_port(host: &str, port: u16) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::{AddressFamily, host_port};

    #[test]
    fn ipv6_hosts_stand_in_brackets() {
        assert_eq!(AddressFamily::V4.join("{{nodeIP}}", 2379), "{{nodeIP}}:2379");
        assert_eq!(AddressFamily::V6.join(AddressFamily::V6.loopback(), 2379), "[::1]:2379");
        assert_eq!(["fd00::1", "10.0.0.1", "lb"].map(|host| host_port(host, 1)), ["[fd00::1]:1", "10.0.0.1:1", "lb:1"]);
    }
}
