//! The forms that values of a config must have, checked before anything is changed.

use std::net::{IpAddr, SocketAddr};

use crate::config::{Gate, MachineConfig, Start};
use crate::error::ConfigError;
use crate::item::Item;
use crate::order;

impl MachineConfig {
    /// Checks everything that can be checked without knowing the machine.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let group = &self.group;
        for name in &group.packages {
            word(Item::Package(name), name, "+.:_-")?;
        }
        for name in &group.kernel_modules {
            word(Item::Module(name), name, "_-")?;
        }
        for (name, value) in &group.sysctls {
            sysctl(Item::Sysctl(name), name, value)?;
        }
        for (name, directory) in &group.directories {
            path(Item::Directory(name), name)?;
            mode(&Item::Directory(name).to_string(), &directory.mode)?;
        }
        self.validate_files()?;
        for (name, unit) in &group.units {
            word(Item::Unit(name), name, ":_.\\@-")?;
            if let Start::OnceAnyExists(paths) = &unit.start {
                paths.iter().try_for_each(|name| path("the unit's start condition", name))?;
            }
        }
        order::waves(&group.units)?;
        node_name(&self.machine.node_name)?;
        for address in &self.machine.node_ips {
            address.parse::<IpAddr>().map_err(|_| ConfigError::invalid("nodeIps", "not an IP address"))?;
        }
        group.gates.iter().try_for_each(gate)
    }

    fn validate_files(&self) -> Result<(), ConfigError> {
        for (name, file) in self.files()? {
            let item = Item::File(name);
            path(item, name)?;
            mode(&item.to_string(), &file.mode)?;
            if self.group.directories.contains_key(name) {
                return Err(ConfigError::invalid(item, "it is a directory of this config, too"));
            }
            file.restarts.iter().try_for_each(|unit| word(item, unit, ":_.\\@-"))?;
        }
        Ok(())
    }
}

/// Permission bits from octal text such as `0644`; `place` is for the error.
pub fn mode(place: &str, text: &str) -> Result<u32, ConfigError> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777 && (3..=5).contains(&text.len()))
        .ok_or_else(|| ConfigError::invalid(place, "its mode is not octal permission bits such as 0644"))
}

/// A path must be absolute and the shortest way to write it: it is a key, and no `..` may lead elsewhere.
pub fn path(place: impl ToString, path: &str) -> Result<(), ConfigError> {
    let plain = path.strip_prefix('/').is_some_and(|rest| {
        !rest.chars().any(char::is_control) && rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
    });
    if plain { Ok(()) } else { Err(ConfigError::invalid(place, "not a plain absolute path")) }
}

/// Where an address and port of a gate lead. Only literal addresses: the agent has no name service.
pub fn socket(name: &str, address: &str) -> Result<SocketAddr, ConfigError> {
    address.parse().map_err(|_| ConfigError::invalid(format!("gate/{name}"), "its address is not IP:PORT"))
}

/// Where a DNS server of a gate listens: `IP`, then on port 53, or `IP:PORT`.
pub fn dns_server(name: &str, server: &str) -> Result<SocketAddr, ConfigError> {
    match server.parse::<IpAddr>() {
        Ok(address) => Ok(SocketAddr::new(address, 53)),
        Err(_) => socket(name, server),
    }
}

fn gate(gate: &Gate) -> Result<(), ConfigError> {
    match gate {
        Gate::Http { name, address, path, .. } => {
            socket(name, address)?;
            let plain = path.starts_with('/') && !path.chars().any(|c| c.is_control() || c == ' ');
            if plain { Ok(()) } else { Err(ConfigError::invalid(format!("gate/{name}"), "its path is not plain")) }
        }
        Gate::Tcp { name, address, .. } => socket(name, address).map(drop),
        Gate::Dns { server, name, .. } => dns_server(name, server).map(drop),
        Gate::File { path: name, .. } => path(format!("gate/{name}"), name),
        // They are compared, and go onto no command line.
        Gate::EtcdMembers { .. } => Ok(()),
    }
}

/// Names go onto command lines and into line formats: letters, digits and `also`, and never a leading dash.
fn word(place: Item<'_>, text: &str, also: &str) -> Result<(), ConfigError> {
    let good = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c));
    if good { Ok(()) } else { Err(ConfigError::invalid(place, "not a name that is allowed here")) }
}

fn sysctl(place: Item<'_>, name: &str, value: &str) -> Result<(), ConfigError> {
    word(place, name, "._/-")?;
    if name.split(['.', '/']).any(str::is_empty) {
        return Err(ConfigError::invalid(place, "not a name that is allowed here"));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(ConfigError::invalid(place, "its value has more than one line"));
    }
    Ok(())
}

fn node_name(name: &str) -> Result<(), ConfigError> {
    let label = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    // 64 is what the kernel takes as a host name (HOST_NAME_MAX).
    if name.len() <= 64 && name.split('.').all(label) {
        Ok(())
    } else {
        Err(ConfigError::invalid("nodeName", "not a DNS name of at most 64 characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Content, Directory, File, GroupConfig, MachinePart, Stage};

    fn good() -> MachineConfig {
        let file = File {
            content: Content::Text(String::new()),
            mode: "0644".into(),
            stage: Stage::Base,
            create_only: false,
            restarts: vec!["systemd-sysctl@x\\x2dy.service".into()],
        };
        MachineConfig {
            group: GroupConfig {
                packages: vec!["libstdc++6".into()],
                kernel_modules: vec!["br_netfilter".into()],
                sysctls: [("net.ipv4.ip_forward".to_string(), "1".to_string())].into(),
                directories: [("/etc/kubernetes".to_string(), Directory { mode: "0755".into() })].into(),
                files: [("/etc/kubernetes/x".to_string(), file)].into(),
                ..GroupConfig::default()
            },
            machine: MachinePart {
                node_name: "cp-1.example".into(),
                node_ips: vec!["10.0.0.1".into()],
                ..Default::default()
            },
        }
    }

    #[test]
    fn a_plain_config_passes() {
        assert_eq!(good().validate(), Ok(()));
    }

    #[test]
    fn every_odd_value_is_refused() {
        let spoilers: [fn(&mut MachineConfig); 10] = [
            |c| c.group.packages.push("-oDpkg::Post=sh".into()),
            |c| c.group.kernel_modules.push("../x".into()),
            |c| drop(c.group.sysctls.insert("net..x".into(), "1".into())),
            |c| drop(c.group.sysctls.insert("net.x".into(), "1\nkernel.y=2".into())),
            |c| drop(c.group.directories.insert("/etc/../x".into(), Directory { mode: "0755".into() })),
            |c| drop(c.group.directories.insert("/x".into(), Directory { mode: "rwx".into() })),
            |c| drop(c.group.directories.insert("/etc/kubernetes/x".into(), Directory { mode: "0755".into() })),
            |c| c.machine.node_name = "Bad_Name".into(),
            |c| c.machine.node_ips.push("localhost".into()),
            |c| {
                let (name, address, path) = ("x".into(), "localhost:80".into(), "/".into());
                c.group.gates.push(Gate::Http { name, address, path, timeout_seconds: 1 });
            },
        ];
        for (number, spoil) in spoilers.iter().enumerate() {
            let mut config = good();
            spoil(&mut config);
            assert!(config.validate().is_err(), "spoiler {number}");
        }
    }

    #[test]
    fn dns_servers_default_to_port_53() {
        assert_eq!(dns_server("x", "10.96.0.10").unwrap().to_string(), "10.96.0.10:53");
        assert_eq!(dns_server("x", "fd00::a").unwrap().to_string(), "[fd00::a]:53");
        assert_eq!(dns_server("x", "127.0.0.1:5353").unwrap().to_string(), "127.0.0.1:5353");
        assert!(dns_server("x", "dns.example").is_err());
    }
}
