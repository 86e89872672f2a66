//! Scopes: cgroups of machines on hosts whose systemd alone may arrange version 2.

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::Limits;
use crate::{LocalError, command};

/// The slice, below the hierarchy's root, that holds all scopes. One of its own would stay behind.
const SLICE: &str = "system.slice";
/// Beginning of every scope's name.
const PREFIX: &str = "kubewright-";
/// End of every scope's name.
const SUFFIX: &str = ".scope";

/// Name of a machine's scope, `kubewright-<owner>_<machine>.scope`. No cluster's name has an underscore, so that it can be
/// read back.
pub(super) fn unit(owner: &str, name: &str) -> String {
    format!("{PREFIX}{owner}_{name}{SUFFIX}")
}

/// A machine's cgroup, relative to the hierarchy's root.
pub(super) fn path(owner: &str, name: &str) -> String {
    format!("{SLICE}/{}", unit(owner, name))
}

/// The cluster that a scope belongs to; `None` for what is no machine's scope.
fn cluster(unit: &str) -> Option<&str> {
    Some(unit.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('_')?.0)
}

/// Names of all machines' scopes that are there, with their clusters.
pub(super) fn all(root: &Path) -> Vec<(String, String)> {
    let entries = fs_err::read_dir(root.join(SLICE)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter_map(|name| cluster(&name).map(str::to_owned).map(|cluster| (name, cluster))).collect()
}

/// What runs the rest of a command line in a machine's scope, within the machine's limits.
pub(super) fn enter(owner: &str, name: &str, limits: Limits) -> Vec<String> {
    let mut argv: Vec<String> = ["systemd-run", "--scope", "--quiet", "--collect"].map(String::from).into();
    argv.push(format!("--slice={SLICE}"));
    argv.push(format!("--unit={}", unit(owner, name)));
    // Without it systemd writes the whole command line to the journal.
    argv.push(format!("--description=kubewright machine {owner}/{name}"));
    argv.push("--property=Delegate=yes".into());
    argv.extend(properties(limits).into_iter().map(|property| format!("--property={property}")));
    argv.push("--".into());
    argv
}

/// systemd's properties for limits. Without a limit the value is systemd's "none".
fn properties(limits: Limits) -> [String; 2] {
    let memory = limits.memory.map_or_else(|| "infinity".to_owned(), |bytes| bytes.to_string());
    let quota = limits.milli_cpus.map_or_else(String::new, |milli| format!("{}.{}%", milli / 10, milli % 10));
    [format!("MemoryMax={memory}"), format!("CPUQuota={quota}")]
}

/// Sets the upper bounds of a scope; one that is not there gets them when it is made.
pub(super) fn limit(root: &Path, owner: &str, name: &str, limits: Limits) -> Result<(), LocalError> {
    if !root.join(path(owner, name)).is_dir() {
        return Ok(());
    }
    let [memory, quota] = properties(limits);
    command::run("systemctl", &["set-property", "--runtime", &unit(owner, name), &memory, &quota]).map(drop)
}

/// Waits until systemd has removed a scope whose processes ended, and ends the ones that are left over.
///
/// A scope of the same name can't be made before.
pub(super) fn remove(root: &Path, owner: &str, name: &str, timeout: Duration) -> Result<(), LocalError> {
    let directory = root.join(path(owner, name));
    if gone(&directory, timeout) {
        return Ok(());
    }
    // A machine outlives its supervisor where that was killed. A scope that ends meanwhile needs no signal.
    let killed = command::run("systemctl", &["kill", "--signal=KILL", &unit(owner, name)]);
    if gone(&directory, timeout) {
        return Ok(());
    }
    killed?;
    let source = io::Error::from(io::ErrorKind::ResourceBusy);
    Err(LocalError::Io { what: "remove a machine's cgroup".into(), source })
}

fn gone(directory: &Path, timeout: Duration) -> bool {
    let until = Instant::now() + timeout;
    while directory.is_dir() {
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_tells_its_cluster_and_those_of_others_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        for name in [unit("a-b", "cp-1"), "kubewright-run.scope".into(), "docker-1.scope".into(), "ssh.service".into()]
        {
            fs_err::create_dir_all(directory.path().join(SLICE).join(name)).unwrap();
        }
        assert_eq!(all(directory.path()), [("kubewright-a-b_cp-1.scope".to_owned(), "a-b".to_owned())]);
    }

    #[test]
    fn limits_become_systemds_properties_to_a_thousandth_of_a_processor() {
        let limits = Limits { memory: Some(1 << 30), milli_cpus: Some(1505) };
        assert_eq!(properties(limits), ["MemoryMax=1073741824", "CPUQuota=150.5%"]);
        assert_eq!(properties(Limits::default()), ["MemoryMax=infinity", "CPUQuota="]);
    }

    #[test]
    fn a_scope_that_is_not_there_needs_neither_limits_nor_removal() {
        let directory = tempfile::tempdir().unwrap();
        limit(directory.path(), "dev", "cp-1", Limits::default()).unwrap();
        remove(directory.path(), "dev", "cp-1", Duration::ZERO).unwrap();
    }
}
