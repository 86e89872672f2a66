//! Processes of pods, their shims, their mounts: which there are, and ending what kubelet leaves behind when it is stopped.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Of, Outcome};
use crate::system::System;

/// Names of the cgroup below which kubelet puts pods, by cgroup driver.
const CGROUPS: [&str; 2] = ["kubepods", "kubepods.slice"];
/// Where pods' mounts are.
const MOUNTS: [&str; 4] = ["/var/lib/kubelet", "/run/containerd", "/var/lib/containerd", "/run/netns/cni-"];

/// A process, told from a later one of the same number by when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) started: u64,
}

/// Ends all pods of this machine.
pub(crate) fn end(system: &System) -> Outcome<()> {
    for pid in shims(system).into_iter().chain(processes(system)) {
        // It may be gone already.
        let _ = system.programs().kill(pid);
    }
    // Innermost first: the table lists mounts in the order in which they were made.
    for mount in mounts(system).iter().rev().filter(|mount| MOUNTS.iter().any(|prefix| is_of(mount, prefix))) {
        system.programs().unmount(&system.path(mount)).of("pods")?;
        if mount.starts_with("/run/netns/cni-") {
            // The name of a network namespace; with it goes the pod's interface.
            let _ = fs_err::remove_file(system.path(mount));
        }
    }
    Ok(())
}

/// Processes of pods that are a program of this name.
pub(crate) fn running(system: &System, program: &str) -> Vec<Process> {
    let is_it = |pid: &i32| {
        let words = command_line(&system.path(&format!("/proc/{pid}")));
        words.first().is_some_and(|first| Path::new(OsStr::from_bytes(first)).file_name() == Some(OsStr::new(program)))
    };
    let pids = processes(system).into_iter().filter(is_it);
    pids.filter_map(|pid| Some(Process { pid, started: started(system, pid)? })).collect()
}

/// Whether a process has not ended yet.
pub(crate) fn is_alive(system: &System, process: &Process) -> bool {
    started(system, process.pid) == Some(process.started)
}

/// When a process began, in clock ticks since boot (proc_pid_stat(5), field 22). The second field, its name, may contain
/// anything but ends with the last parenthesis.
fn started(system: &System, pid: i32) -> Option<u64> {
    let text = system.text(&format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')')?;
    // From the third field on.
    let mut fields = rest.split_whitespace();
    // A zombie runs nothing any more.
    if fields.next()? == "Z" { None } else { fields.nth(18)?.parse().ok() }
}

fn is_of(mount: &str, prefix: &str) -> bool {
    match mount.strip_prefix(prefix) {
        // A disk of its own at the directory itself is not a pod's.
        Some(rest) => rest.starts_with('/') || (prefix.ends_with('-') && !rest.is_empty()),
        None => false,
    }
}

/// What is mounted below a directory.
pub(crate) fn mounts_below(system: &System, directory: &str) -> Vec<String> {
    let prefix = format!("{directory}/");
    mounts(system).into_iter().filter(|mount| mount.starts_with(&prefix)).collect()
}

// Fifth field of each line (proc_pid_mountinfo(5)); spaces and the like are written as octal escapes.
fn mounts(system: &System) -> Vec<String> {
    let table = system.text("/proc/self/mountinfo").unwrap_or_default();
    table.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape).collect()
}

fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_string(), |text, (code, plain)| text.replace(code, plain))
}

/// Processes in the cgroups of pods, in every hierarchy.
fn processes(system: &System) -> Vec<i32> {
    let root = system.path("/sys/fs/cgroup");
    let controllers = directories(&root);
    let roots = std::iter::once(root).chain(controllers);
    let mut pids: Vec<i32> =
        roots.flat_map(|root| CGROUPS.map(|name| root.join(name))).flat_map(|at| below(&at)).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

fn below(cgroup: &Path) -> Vec<i32> {
    let list = fs_err::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    // 0 stands for a process of another namespace.
    let mut pids: Vec<i32> = list.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 1).collect();
    pids.extend(directories(cgroup).iter().flat_map(|child| below(child)));
    pids
}

/// Shims of kubelet's containers; those of other containerd namespaces (docker's is `moby`) are left alone.
fn shims(system: &System) -> Vec<i32> {
    let numbered = |path: &PathBuf| path.file_name()?.to_str()?.parse::<i32>().ok();
    let is_shim = |path: &Path| {
        let words = command_line(path);
        words.first().is_some_and(|program| program.ends_with(b"containerd-shim-runc-v2"))
            && words.iter().any(|word| word == b"k8s.io")
    };
    directories(&system.path("/proc")).iter().filter(|path| is_shim(path)).filter_map(numbered).collect()
}

/// The words of a process' command line; `path` is its directory below /proc.
fn command_line(path: &Path) -> Vec<Vec<u8>> {
    let line = fs_err::read(path.join("cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::World;

    #[test]
    fn a_program_of_a_pod_is_known_by_its_name_and_when_it_began() {
        let world = World::new();
        world.write("/sys/fs/cgroup/pids/kubepods/pod1/c/cgroup.procs", "41\n42\n43\n");
        for (pid, command, state) in
            [(41, "etcd\0--name=a", 'S'), (42, "/bin/sh\0etcd", 'S'), (43, "/usr/bin/etcd", 'Z')]
        {
            world.write(&format!("/proc/{pid}/cmdline"), command);
            let fields = "1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0";
            world.write(&format!("/proc/{pid}/stat"), &format!("{pid} (a ) b) {state} {fields}\n"));
        }
        // Runs on the machine, in no pod.
        world.write("/proc/44/cmdline", "etcd");
        let found = running(&world.system, "etcd");
        assert_eq!(found, [Process { pid: 41, started: 777 }]);
        assert!(is_alive(&world.system, &found[0]));
        assert!(!is_alive(&world.system, &Process { pid: 41, started: 778 }), "another one of that number");
        std::fs::remove_dir_all(world.at("/proc/41")).unwrap();
        assert!(!is_alive(&world.system, &found[0]));
    }

    #[test]
    fn only_pods_and_their_shims_are_ended() {
        let world = World::new();
        world.write("/sys/fs/cgroup/memory/kubepods/burstable/pod1/c/cgroup.procs", "0\n41\n42\n");
        world.write("/sys/fs/cgroup/pids/kubepods/burstable/pod1/c/cgroup.procs", "41\n");
        world.write("/sys/fs/cgroup/memory/system.slice/cgroup.procs", "7\n");
        world.write("/proc/50/cmdline", "/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0");
        world.write("/proc/51/cmdline", "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0");
        world.write(
            "/proc/self/mountinfo",
            "1 0 0:1 / / rw - ext4 /dev/vda rw\n\
             2 1 0:2 / /var/lib/kubelet rw - ext4 /dev/vdb rw\n\
             3 2 0:3 / /var/lib/kubelet/pods/a\\040b rw - tmpfs tmpfs rw\n\
             4 1 0:4 / /run/netns/cni-1 rw - nsfs nsfs rw\n\
             5 1 0:5 / /home rw - nfs nas:/home rw\n",
        );
        end(&world.system).unwrap();
        assert_eq!(world.killed(), [50, 41, 42]);
        assert_eq!(world.unmounted(), ["/run/netns/cni-1", "/var/lib/kubelet/pods/a b"]);
    }
}
