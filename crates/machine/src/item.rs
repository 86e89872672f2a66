//! Names of the items of a config, as replies carry them.

use std::fmt;

/// One thing of a config that is compared and made so by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item<'a> {
    /// A package of the operating system.
    Package(&'a str),
    /// A kernel module.
    Module(&'a str),
    /// A sysctl, by dotted name.
    Sysctl(&'a str),
    /// Swap.
    Swap,
    /// The host name.
    Hostname,
    /// A directory, by path.
    Directory(&'a str),
    /// A file, by path.
    File(&'a str),
    /// A unit of systemd.
    Unit(&'a str),
}

impl<'a> Item<'a> {
    /// The item that `name` stands for; `None` when it is not one of ours.
    pub fn parse(name: &'a str) -> Option<Self> {
        match name {
            "swap" => return Some(Self::Swap),
            "hostname" => return Some(Self::Hostname),
            _ => {}
        }
        let (kind, rest) = name.split_once('/')?;
        Some(match kind {
            "package" => Self::Package(rest),
            "module" => Self::Module(rest),
            "sysctl" => Self::Sysctl(rest),
            "directory" => Self::Directory(rest),
            "file" => Self::File(rest),
            "unit" => Self::Unit(rest),
            _ => return None,
        })
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(name) => write!(f, "package/{name}"),
            Self::Module(name) => write!(f, "module/{name}"),
            Self::Sysctl(name) => write!(f, "sysctl/{name}"),
            Self::Swap => f.write_str("swap"),
            Self::Hostname => f.write_str("hostname"),
            Self::Directory(path) => write!(f, "directory/{path}"),
            Self::File(path) => write!(f, "file/{path}"),
            Self::Unit(name) => write!(f, "unit/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        let items = [
            Item::Package("socat"),
            Item::Module("overlay"),
            Item::Sysctl("net.ipv4.ip_forward"),
            Item::Swap,
            Item::Hostname,
            Item::Directory("/etc/kubernetes"),
            Item::File("/etc/kubernetes/pki/ca.crt"),
            Item::Unit("kubelet.service"),
        ];
        for item in items {
            assert_eq!(Item::parse(&item.to_string()), Some(item));
        }
        assert_eq!(Item::parse("gate/kubelet healthz"), None);
    }
}
