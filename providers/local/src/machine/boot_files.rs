//! Files that a machine finds when it boots: who it is, its address, its keys.

use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Home, Machine, process};
use crate::LocalError;

/// Host name.
pub(super) const HOSTNAME: &str = "etc/hostname";
/// Address and gateway, read by the image's `kubewright-machine.service`.
pub(super) const NETWORK: &str = "etc/kubewright/network";
/// Whom the machine asks for names.
pub(super) const RESOLVERS: &str = "etc/resolv.conf";
/// Private host key.
pub(super) const HOST_KEY: &str = "etc/ssh/ssh_host_ed25519_key";
/// Public host key.
pub(super) const HOST_KEY_PUBLIC: &str = "etc/ssh/ssh_host_ed25519_key.pub";
/// Keys that may log in as root.
pub(super) const AUTHORIZED_KEYS: &str = "root/.ssh/authorized_keys";

/// Directories with their modes, parents first.
const DIRECTORIES: [(&str, u32); 5] =
    [("etc", 0o755), ("etc/kubewright", 0o755), ("etc/ssh", 0o755), ("root", 0o700), ("root/.ssh", 0o700)];

/// When a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Where there is none yet; from then on it is the machine's own.
    Once,
    /// Before every boot, and a machine that runs with another content must boot again.
    EveryBootOrRestart,
    /// Before every boot and in the running machine.
    Live,
}

/// One file in the machine.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BootFile {
    /// Path without the leading slash.
    pub path: &'static str,
    /// Permission bits.
    pub mode: u32,
    /// When it is written.
    pub when: When,
    /// What is in it; may be a private key, so there is no `Debug`.
    pub content: String,
}

/// All files of a machine. Pure.
pub(super) fn files(machine: &Machine, host_resolvers: &[Ipv4Addr]) -> Vec<BootFile> {
    let inputs = &machine.inputs;
    let resolvers = if inputs.resolvers.is_empty() { host_resolvers } else { &inputs.resolvers };
    let mut resolv = String::new();
    for resolver in resolvers {
        let _ = writeln!(resolv, "nameserver {resolver}"); // Writing into a string cannot fail.
    }
    let hosts = format!(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{} {}\n",
        inputs.address, inputs.hostname
    );
    let (id, uuid) = identity(&machine.home.cluster, &machine.home.name, &machine.host_key_public);
    let file = |path, mode, when, content| BootFile { path, mode, when, content };
    vec![
        file(HOSTNAME, 0o644, When::Once, format!("{}\n", inputs.hostname)),
        file("etc/hosts", 0o644, When::Once, hosts),
        file("etc/machine-id", 0o444, When::Once, format!("{id}\n")),
        file("etc/kubewright/product-uuid", 0o444, When::Once, format!("{uuid}\n")),
        file(RESOLVERS, 0o644, When::Live, resolv),
        file(NETWORK, 0o644, When::EveryBootOrRestart, network(inputs.address, inputs.prefix_length, inputs.gateway)),
        file(HOST_KEY, 0o600, When::EveryBootOrRestart, line(machine.host_key.reveal())),
        file(HOST_KEY_PUBLIC, 0o644, When::EveryBootOrRestart, line(&machine.host_key_public)),
        file(AUTHORIZED_KEYS, 0o600, When::Live, line(&machine.authorized_key)),
    ]
}

/// The network file: shell assignments.
pub(super) fn network(address: Ipv4Addr, prefix: u8, gateway: Ipv4Addr) -> String {
    format!("ADDRESS={address}/{prefix}\nGATEWAY={gateway}\n")
}

/// A key file ends with exactly one newline.
pub(super) fn line(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

/// Machine id and product UUID. Machines that share a host would share its product UUID, which must be unique in a
/// cluster; the host key makes a machine that is made again a new one.
fn identity(cluster: &str, name: &str, host_key_public: &str) -> (String, String) {
    let mut id = hex::encode(Sha256::digest(format!("{cluster}/{name} {host_key_public}")));
    id.truncate(32);
    // Version 4, variant 1 (RFC 9562), which some programs insist on.
    let mut digits: Vec<char> = id.chars().collect();
    for (position, digit) in [(12, '4'), (16, '8')] {
        if let Some(place) = digits.get_mut(position) {
            *place = digit;
        }
    }
    let id: String = digits.into_iter().collect();
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| id.get(range).unwrap_or_default());
    let uuid = groups.join("-");
    (id, uuid)
}

/// Writes the files of a machine that does not run.
pub(super) fn write(home: &Home, files: &[BootFile]) -> Result<(), LocalError> {
    let upper = home.upper();
    for (directory, mode) in DIRECTORIES {
        let path = upper.join(directory);
        let what = || format!("make {}", path.display());
        match fs_err::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            other => other.map_err(LocalError::io(what()))?,
        }
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).map_err(LocalError::io(what()))?;
    }
    for file in files {
        let path = upper.join(file.path);
        if file.when != When::Once || !path.exists() {
            put(&path, file)?;
        }
    }
    Ok(())
}

/// Writes what may change in a running machine, through its own root: the overlay's upper layer must not be written
/// behind its back.
pub(super) fn write_live(home: &Home, files: &[BootFile]) -> Result<(), LocalError> {
    let Some(leader) = process::find(home)?.and_then(|supervisor| supervisor.leader()) else { return Ok(()) };
    let root = PathBuf::from(format!("/proc/{leader}/root"));
    for file in files.iter().filter(|file| file.when == When::Live && !same(home, file)) {
        put(&root.join(file.path), file)?;
    }
    Ok(())
}

/// Whether a running machine has other contents than those it must boot with.
pub(super) fn differ(home: &Home, files: &[BootFile]) -> bool {
    files.iter().any(|file| file.when == When::EveryBootOrRestart && !same(home, file))
}

fn same(home: &Home, file: &BootFile) -> bool {
    fs_err::read(home.upper().join(file.path)).is_ok_and(|found| found == file.content.as_bytes())
}

/// Writes beside and renames; the mode is set before anybody can open the file by its name.
fn put(path: &Path, file: &BootFile) -> Result<(), LocalError> {
    let what = || format!("write {}", path.display());
    let beside = path.with_extension("kubewright-new");
    let _ = fs_err::remove_file(&beside);
    fs_err::write(&beside, "").map_err(LocalError::io(what()))?;
    fs_err::set_permissions(&beside, std::fs::Permissions::from_mode(file.mode)).map_err(LocalError::io(what()))?;
    fs_err::write(&beside, &file.content).map_err(LocalError::io(what()))?;
    fs_err::rename(&beside, path).map_err(LocalError::io(what()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_differ_between_machines_and_between_lives_of_a_machine() {
        let (id, uuid) = identity("dev", "cp-1", "ssh-ed25519 A");
        assert_eq!((id.len(), uuid.len(), uuid.replace('-', "") == id), (32, 36, true));
        assert_ne!(id, identity("dev", "cp-2", "ssh-ed25519 A").0);
        assert_ne!(id, identity("dev", "cp-1", "ssh-ed25519 B").0);
    }

    #[test]
    fn the_network_file_is_shell_assignments() {
        let text = network(Ipv4Addr::new(10, 88, 0, 11), 24, Ipv4Addr::new(10, 88, 0, 1));
        assert_eq!(text, "ADDRESS=10.88.0.11/24\nGATEWAY=10.88.0.1\n");
    }

    #[test]
    fn keys_end_with_one_newline() {
        assert_eq!(line("key\n\n"), "key\n");
    }
}
