//! How the addresses of a node are written in URLs.

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

#[cfg(test)]
mod tests {
    use super::AddressFamily;

    #[test]
    fn ipv6_hosts_stand_in_brackets() {
        assert_eq!(AddressFamily::V4.join("{{nodeIP}}", 2379), "{{nodeIP}}:2379");
        assert_eq!(AddressFamily::V6.join(AddressFamily::V6.loopback(), 2379), "[::1]:2379");
    }
}
