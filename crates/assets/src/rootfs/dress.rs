//! Turns a plain Debian tree into a machine's: only what a machine needs starts, and nothing in it is one machine's own.

use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use catalog::recipe::RootfsRecipe;
use fs_err as fs;

/// Where units are, most important first.
const UNITS: [&str; 2] = ["etc/systemd/system", "usr/lib/systemd/system"];

/// Units that may be started because a target wants them. Whatever else Debian's packages enable (timers, gettys,
/// haproxy, keepalived, …) stays installed and can be started.
const WANTED: [&str; 9] = [
    "dbus.socket",
    "kubewright-machine.service",
    "ssh.service",
    "systemd-journald-dev-log.socket",
    "systemd-journald.service",
    "systemd-journald.socket",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
    "systemd-tmpfiles-setup.service",
];

/// Units that are pulled in by other means.
const MASKED: [&str; 5] = [
    "systemd-firstboot.service",
    "systemd-networkd-wait-online.service",
    "systemd-update-utmp.service",
    "sshd-keygen.service",
    "tmp.mount",
];

/// Files of our own: path, permission bits, content.
const FILES: [(&str, u32, &str); 6] = [
    ("usr/lib/kubewright/prepare", 0o755, include_str!("files/prepare.sh")),
    ("etc/systemd/system/kubewright-machine.service", 0o644, include_str!("files/kubewright-machine.service")),
    ("etc/systemd/system/ssh.service", 0o644, include_str!("files/ssh.service")),
    ("etc/ssh/sshd_config.d/kubewright.conf", 0o644, include_str!("files/sshd.conf")),
    ("etc/systemd/journald.conf.d/kubewright.conf", 0o644, include_str!("files/journald.conf")),
    ("etc/systemd/system.conf.d/kubewright.conf", 0o644, include_str!("files/system.conf")),
];

/// Symbolic links of our own: path, target.
const LINKS: [(&str, &str); 4] = [
    ("etc/systemd/system/default.target", "/usr/lib/systemd/system/multi-user.target"),
    ("etc/systemd/system/sysinit.target.wants/kubewright-machine.service", "../kubewright-machine.service"),
    ("etc/systemd/system/multi-user.target.wants/ssh.service", "../ssh.service"),
    // Nobody but root could log in until a unit that does not run here has removed what this would make.
    ("etc/tmpfiles.d/systemd-nologin.conf", "/dev/null"),
];

/// What is one machine's own, the host's, or only costs space.
const REMOVED: [&str; 6] =
    ["etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/machine-id", "etc/sysctl.conf", "var/lib/dbus/machine-id"];

/// Directories whose files are removed. Settings of the kernel that packages bring would be the host's.
const EMPTIED: [&str; 6] =
    ["etc/sysctl.d", "usr/lib/sysctl.d", "var/cache/apt", "var/cache/debconf", "var/lib/apt/lists", "var/log"];

/// Dresses the tree at `root`.
pub(super) fn dress(root: &Path, recipe: &RootfsRecipe) -> io::Result<()> {
    for directory in UNITS {
        prune(&root.join(directory))?;
    }
    for path in REMOVED {
        remove(&root.join(path))?;
    }
    for directory in EMPTIED {
        empty(&root.join(directory))?;
    }
    host_keys(root)?;
    for (path, mode, content) in FILES {
        write(&root.join(path), mode, content)?;
    }
    for (path, target) in LINKS {
        link(&root.join(path), target)?;
    }
    for unit in MASKED.into_iter().chain(recipe.masked_units.iter().map(String::as_str)) {
        link(&root.join(UNITS[0]).join(unit), "/dev/null")?;
    }
    generators(root)
}

/// Removes every wish of a target for a unit that a machine does not need.
fn prune(units: &Path) -> io::Result<()> {
    for directory in entries(units)? {
        let name = directory.file_name();
        if !name.is_some_and(|name| [".wants", ".requires"].iter().any(|end| name.to_string_lossy().ends_with(end))) {
            continue;
        }
        for wish in entries(&directory)? {
            if !wish.file_name().is_some_and(|unit| WANTED.iter().any(|wanted| unit == *wanted)) {
                fs::remove_file(wish)?;
            }
        }
    }
    Ok(())
}

/// Generators look for disks, consoles and old scripts, none of which a machine has.
fn generators(root: &Path) -> io::Result<()> {
    for generator in entries(&root.join("usr/lib/systemd/system-generators"))? {
        if let Some(name) = generator.file_name() {
            link(&root.join("etc/systemd/system-generators").join(name), "/dev/null")?;
        }
    }
    Ok(())
}

/// Every machine gets host keys of its own.
fn host_keys(root: &Path) -> io::Result<()> {
    for file in entries(&root.join("etc/ssh"))? {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ssh_host_")) {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Paths in a directory; none where there is no directory.
fn entries(directory: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn empty(directory: &Path) -> io::Result<()> {
    for path in entries(directory)? {
        if fs::symlink_metadata(&path)?.is_dir() {
            empty(&path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(path: &Path, mode: u32, content: &str) -> io::Result<()> {
    // A link that is there (an alias of a unit) must not be written through.
    remove(path)?;
    directory_of(path)?;
    fs::write(path, content)?;
    fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

fn link(path: &Path, target: &str) -> io::Result<()> {
    remove(path)?;
    directory_of(path)?;
    symlink(target, path)
}

/// Makes the directories above a path with the mode that system directories have.
fn directory_of(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.exists()) else { return Ok(()) };
    directory_of(parent)?;
    fs::create_dir(parent)?;
    fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> RootfsRecipe {
        let masked_units = vec!["extra.service".to_owned()];
        RootfsRecipe { suite: "trixie".into(), packages: Vec::new(), masked_units, revision: 1 }
    }

    /// A tree with what Debian's packages leave behind.
    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for directory in [
            "etc/ssh",
            "etc/systemd/system/multi-user.target.wants",
            "usr/lib/systemd/system/timers.target.wants",
            "usr/lib/systemd/system-generators",
            "usr/lib/sysctl.d",
            "var/log/apt",
        ] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for file in [
            "etc/ssh/ssh_host_rsa_key",
            "etc/ssh/moduli",
            "etc/hostname",
            "usr/lib/systemd/system-generators/systemd-getty-generator",
            "usr/lib/sysctl.d/50-default.conf",
            "var/log/apt/term.log",
        ] {
            fs::write(root.path().join(file), "x").unwrap();
        }
        symlink("../x", root.path().join("etc/systemd/system/multi-user.target.wants/haproxy.service")).unwrap();
        symlink("../x", root.path().join("usr/lib/systemd/system/timers.target.wants/apt-daily.timer")).unwrap();
        symlink("/usr/lib/systemd/system/ssh.service", root.path().join("etc/systemd/system/ssh.service")).unwrap();
        root
    }

    #[test]
    fn only_what_a_machine_needs_starts() {
        let root = tree();
        dress(root.path(), &recipe()).unwrap();
        let there = |path: &str| fs::symlink_metadata(root.path().join(path)).is_ok();
        assert!(!there("etc/systemd/system/multi-user.target.wants/haproxy.service"));
        assert!(!there("usr/lib/systemd/system/timers.target.wants/apt-daily.timer"));
        assert!(there("etc/systemd/system/multi-user.target.wants/ssh.service"));
        assert_eq!(
            fs::read_link(root.path().join("etc/systemd/system/extra.service")).unwrap(),
            Path::new("/dev/null")
        );
        assert!(there("etc/systemd/system-generators/systemd-getty-generator"));
        assert!(!fs::symlink_metadata(root.path().join("etc/systemd/system/ssh.service")).unwrap().is_symlink());
    }

    #[test]
    fn nothing_of_one_machine_or_of_the_host_stays() {
        let root = tree();
        dress(root.path(), &recipe()).unwrap();
        for path in
            ["etc/ssh/ssh_host_rsa_key", "etc/hostname", "usr/lib/sysctl.d/50-default.conf", "var/log/apt/term.log"]
        {
            assert!(!root.path().join(path).exists(), "{path}");
        }
        assert!(root.path().join("etc/ssh/moduli").exists());
    }

    #[test]
    fn dressing_twice_is_dressing_once() {
        let root = tree();
        dress(root.path(), &recipe()).unwrap();
        dress(root.path(), &recipe()).unwrap();
    }
}
