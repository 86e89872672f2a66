//! The machines of a cluster as the host sees them: processes, links, firewall tables, cgroups.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::world::World;

/// Machines of a cluster that run: name, process id of the supervisor.
pub(crate) fn running(world: &World, cluster: &str) -> BTreeMap<String, u32> {
    let machines = format!("--directory={}/", world.state().join("machines").display());
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok) {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let words = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let mut words = words.split('\0');
        let is_supervisor = words.next().is_some_and(|program| program.ends_with("systemd-nspawn"));
        let home = words.find_map(|word| word.strip_prefix(&machines)?.split_once('/'));
        if let (true, Some((owner, rest))) = (is_supervisor, home)
            && is_of(owner, cluster)
        {
            found.insert(rest.split('/').next().unwrap_or_default().to_owned(), process);
        }
    }
    found
}

/// Whether a directory of machines, or a cgroup, is a cluster's: behind its name stands the beginning of its state's identity,
/// since release 0.2.
fn is_of(owner: &str, cluster: &str) -> bool {
    owner.strip_prefix(cluster).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Directories in one that are a cluster's.
fn of_cluster(directory: &Path, cluster: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    entries.filter(|entry| is_of(&entry.file_name().to_string_lossy(), cluster)).map(|entry| entry.path()).collect()
}

/// Where the machines of a cluster live that are there by now.
pub(crate) fn homes(world: &World, cluster: &str) -> Vec<PathBuf> {
    let owners = of_cluster(&world.state().join("machines"), cluster);
    let machines =
        owners.iter().flat_map(|owner| std::fs::read_dir(owner).into_iter().flatten().filter_map(Result::ok));
    machines.map(|machine| machine.path()).collect()
}

/// Where a machine lives.
pub(crate) fn home(world: &World, cluster: &str, machine: &str) -> PathBuf {
    let found = homes(world, cluster).into_iter().find(|home| home.ends_with(machine));
    found.unwrap_or_else(|| panic!("machine {machine} of {cluster} was made"))
}

/// Kills a machine with everything that runs on it, as a power failure would.
pub(crate) fn kill(world: &World, cluster: &str, machine: &str) {
    let supervisor = running(world, cluster).remove(machine).expect("the machine runs");
    let mut processes = Vec::new();
    tree(supervisor, &mut processes);
    let mut command = Command::new("kill");
    // Some end by themselves when the first of them is killed.
    let _ = command.arg("-9").args(processes.iter().map(u32::to_string)).output().expect("kill starts");
    let until = Instant::now() + Duration::from_secs(20);
    while processes.iter().any(|process| lives(*process)) {
        assert!(Instant::now() < until, "processes of {machine} outlive a kill");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A process and everything below it, the process first.
fn tree(process: u32, found: &mut Vec<u32>) {
    found.push(process);
    for task in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().filter_map(Result::ok) {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            tree(child, found);
        }
    }
}

/// Whether a process still does something: a zombie only waits to be reaped.
pub(crate) fn lives(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Name of a cluster's nftables table: it ends in the beginning of its state's identity.
pub(crate) fn table(cluster: &str) -> String {
    let listed = Command::new("nft").args(["list", "tables", "inet"]).output().expect("nft starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let beginning = format!("kubewright-{cluster}_");
    let name = listed.split_whitespace().find(|word| word.starts_with(&beginning));
    name.unwrap_or_else(|| panic!("cluster {cluster} has a table of its own: {listed}")).to_owned()
}

/// Takes away what a cluster has in the host's kernel and what a reboot would not bring back. Its machines are dead.
pub(crate) fn forget_in_kernel(cluster: &str) {
    for arguments in [
        ["ip", "link", "delete", "dev", &format!("kw-{cluster}")].as_slice(),
        ["nft", "delete", "table", "inet", &table(cluster)].as_slice(),
    ] {
        let done = Command::new(arguments[0]).args(&arguments[1..]).status().expect("the program starts");
        assert!(done.success(), "{arguments:?} ended with {done}");
    }
    for cgroup in cgroups(cluster) {
        remove_tree(&cgroup);
    }
}

/// A cluster's cgroups: one, or with version 1 one in each hierarchy.
fn cgroups(cluster: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = std::fs::read_dir(root).expect("cgroups").filter_map(Result::ok).map(|entry| entry.path());
    std::iter::once(root.to_owned())
        .chain(hierarchies)
        .flat_map(|hierarchy| of_cluster(&hierarchy.join("kubewright"), cluster))
        .collect()
}

fn remove_tree(cgroup: &Path) {
    for entry in std::fs::read_dir(cgroup).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    std::fs::remove_dir(cgroup).expect("an empty cgroup is removed");
}
