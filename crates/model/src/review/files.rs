//! Files of the user's in the place of kubewright's, or in each other's way.

use std::collections::BTreeMap;

use resource::Severity;
use serde_json::Value;
use spec::{Cluster, InstanceGroup, MachineFile};

use super::{Remark, ReviewError, fullest, nominal, of_cluster, of_group, remark};
use crate::machine_config;

/// What is at a path that is not the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ours {
    /// A file.
    File,
    /// A directory that others may have files in.
    Directory,
    /// A directory, and everything in it.
    Tree,
    /// A unit of the operating system's that kubewright starts.
    Unit,
}

/// Directories of Kubernetes and its runtime, of the agent, and of a local machine's boot.
const TREES: [&str; 7] = [
    "/etc/kubernetes",
    "/etc/kubewright",
    "/opt/cni/bin",
    "/var/lib/containerd",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/lib/kubewright",
];
/// What the agent or the provider writes beside a config: names, and the way by which the machine is reached.
const BESIDE: [&str; 10] = [
    "/etc/hostname",
    "/etc/machine-id",
    "/etc/modules-load.d/kubewright.conf",
    "/etc/resolv.conf",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_ed25519_key.pub",
    "/etc/ssh/sshd_config.d/kubewright.conf",
    "/etc/sysctl.d/99-zz-kubewright.conf",
    "/etc/systemd/system/kubewright-machine.service",
    "/root/.ssh/authorized_keys",
];
/// What the kernel makes: files can't be written there, or take the place of devices.
const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];
/// The memory that programs share, the one place in /dev for files.
const SHARED: &str = "/dev/shm";
/// What a boot makes anew, with the other names that it has: the agent writes files there again, but later than units may want them.
const PASSING: [&str; 4] = [SHARED, "/run", "/var/lock", "/var/run"];
/// Where systemd looks for units, the first one first.
const UNIT_DIRECTORIES: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

type Paths = BTreeMap<String, Ours>;

pub(super) fn check(cluster: &Cluster, groups: &[InstanceGroup]) -> Result<Vec<Remark>, ReviewError> {
    if cluster.spec.files.is_empty() && groups.iter().all(|group| group.spec.files.is_empty()) {
        return Ok(Vec::new());
    }
    let ours = ours(cluster, groups)?;
    let mut remarks = taken(&of_cluster(cluster), &cluster.spec.files, &[], &ours);
    for group in groups {
        remarks.extend(taken(&of_group(group), &group.spec.files, &cluster.spec.files, &ours));
    }
    Ok(remarks)
}

/// Everything that any machine of the cluster has from us.
fn ours(cluster: &Cluster, groups: &[InstanceGroup]) -> Result<Paths, ReviewError> {
    let mut plain = groups.to_vec();
    for group in &mut plain {
        group.spec.files.clear();
    }
    let resolved = nominal(fullest(cluster), &plain)?;
    let mut paths = Paths::new();
    for config in machine_config::configs(&resolved)? {
        let names =
            |part: &str| config.pointer(part).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
        for unit in names("/group/units") {
            paths.extend(UNIT_DIRECTORIES.map(|directory| (format!("{directory}/{unit}"), Ours::Unit)));
        }
        paths.extend(names("/group/directories").map(|path| (path.clone(), Ours::Directory)));
        paths.extend(names("/group/files").chain(names("/machine/files")).map(|path| (path.clone(), Ours::File)));
    }
    paths.extend(BESIDE.map(|path| (path.to_owned(), Ours::File)));
    paths.extend(TREES.map(|path| (path.to_owned(), Ours::Tree)));
    Ok(paths)
}

/// What is wrong with `files`, which stand over those that are `below` them.
fn taken(document: &str, files: &[MachineFile], below: &[MachineFile], ours: &Paths) -> Vec<Remark> {
    let all: Vec<&str> = files.iter().chain(below).map(|file| file.path.as_str()).collect();
    let mut remarks = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let field = format!("spec.files[{index}].path");
        let told = |severity, code: &str, message: String, help: &str| {
            remark(document.to_owned(), severity, code, field.clone(), message, help.to_owned())
        };
        let said = |code: &str, message: String, help: &str| told(Severity::Error, code, message, help);
        if let Some(why) = of_ours(&file.path, ours) {
            let help = "use the fields of the spec that it is made from, a template override, or another path";
            remarks.push(said("spec::reserved-file", format!("`{}` {why}", file.path), help));
        } else if let Some(kernel) = kernels(&file.path) {
            let message = format!("`{}` lies in {kernel}, which is the kernel's", file.path);
            let help = "kernel settings are written to `spec.sysctls`, files to another path, such as one below /etc";
            remarks.push(said("spec::reserved-file", message, help));
        } else if let Some(passing) = PASSING.iter().find(|passing| is_below(&file.path, passing)) {
            let message = format!("`{}` lies in {passing}, of which a boot leaves nothing", file.path);
            let help = "write it to another path, such as one below /etc, if anything wants it while a machine boots";
            remarks.push(told(Severity::Warning, "spec::passing-file", message, help));
        } else if let Some((outer, inner)) = nested(&file.path, &all, below) {
            let message = format!("`{outer}` is to be a file, and a directory for `{inner}`");
            remarks.push(said("spec::duplicate-file", message, "write one of them to another path"));
        }
    }
    remarks
}

/// A path and one in it: of the same layer it is said once, at the outer one; of layers below, at whichever is above.
fn nested<'a>(path: &'a str, all: &[&'a str], below: &'a [MachineFile]) -> Option<(&'a str, &'a str)> {
    let inner = all.iter().find(|other| is_below(other, path)).map(|inner| (path, *inner));
    let outer = || below.iter().find(|file| is_below(path, &file.path)).map(|file| (file.path.as_str(), path));
    inner.or_else(outer)
}

/// Why a path is not the user's.
fn of_ours(path: &str, ours: &Paths) -> Option<String> {
    match ours.get(path) {
        Some(Ours::File) => return Some("belongs to kubewright".to_owned()),
        Some(Ours::Unit) => return Some("would stand for a unit that kubewright starts".to_owned()),
        Some(Ours::Directory | Ours::Tree) => return Some("is a directory of kubewright's".to_owned()),
        None => {}
    }
    if let Some((tree, _)) = ours.iter().find(|(ours, what)| **what == Ours::Tree && is_below(path, ours)) {
        return Some(format!("belongs to kubewright, as everything in {tree} does"));
    }
    if let Some((file, _)) = ours.iter().find(|(ours, what)| **what == Ours::File && is_below(path, ours)) {
        return Some(format!("lies below `{file}`, which is a file of kubewright's"));
    }
    let inner = ours.keys().find(|ours| is_below(ours, path))?;
    Some(format!("is a directory in which kubewright has `{inner}`"))
}

/// The directory of the kernel's that a path lies in.
fn kernels(path: &str) -> Option<&'static str> {
    KERNEL.into_iter().find(|kernel| is_below(path, kernel) && !is_below(path, SHARED))
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
