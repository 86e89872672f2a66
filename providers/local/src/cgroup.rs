//! cgroups of machines: which hierarchies the host has, and one directory per machine in each.

mod scope;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::{LocalError, names};

/// How long processes that were killed may take to leave their cgroup.
const EMPTYING: Duration = Duration::from_secs(3);
/// How often making a cgroup is tried again when the directories above it vanish.
const RACES: usize = 10;
/// Length of a scheduling period, microseconds: the kernel's own default.
const PERIOD: u64 = 100_000;

/// How the host arranges its cgroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Version 1: mount points of all hierarchies, the named one of systemd included.
    V1(Vec<PathBuf>),
    /// Version 2: the mount point.
    V2(PathBuf),
    /// Version 2 under systemd as process 1: the mount point. Only systemd makes and changes cgroups there; it takes
    /// controllers away from those of others.
    Scopes(PathBuf),
}

/// Where systemd that is process 1 keeps its state.
const SYSTEMD: &str = "/run/systemd/system";

impl Layout {
    /// The layout of this host.
    pub(crate) fn of_host() -> Result<Self, LocalError> {
        let file = "/proc/self/mountinfo";
        let text = fs_err::read_to_string(file).map_err(LocalError::io("find the host's cgroups"))?;
        Ok(Self::read(&text, Path::new(SYSTEMD).is_dir()))
    }

    /// The layout that a mount table shows. A hybrid host (controllers in version 1) counts as version 1.
    pub(crate) fn read(mountinfo: &str, systemd: bool) -> Self {
        let (mut hierarchies, mut seen, mut unified) = (Vec::new(), Vec::new(), None);
        for line in mountinfo.lines() {
            let (left, right) = line.split_once(" - ").unwrap_or((line, ""));
            let left: Vec<&str> = left.split(' ').collect();
            let (Some(device), Some(mount)) = (left.get(2), left.get(4)) else { continue };
            match right.split(' ').next() {
                // A second mount of a hierarchy shows the same device.
                Some("cgroup") if !seen.contains(device) => {
                    seen.push(*device);
                    hierarchies.push(PathBuf::from(mount));
                }
                Some("cgroup2") if unified.is_none() => unified = Some(PathBuf::from(mount)),
                _ => {}
            }
        }
        match unified {
            Some(mount) if hierarchies.is_empty() && systemd => Self::Scopes(mount),
            Some(mount) if hierarchies.is_empty() => Self::V2(mount),
            _ => Self::V1(hierarchies),
        }
    }

    /// Mount points of all hierarchies.
    pub(crate) fn roots(&self) -> &[PathBuf] {
        match self {
            Self::V1(roots) => roots,
            Self::V2(root) | Self::Scopes(root) => std::slice::from_ref(root),
        }
    }

    /// What is ours in every hierarchy: directory, cluster.
    pub(crate) fn marked(&self) -> Vec<(PathBuf, String)> {
        if let Self::Scopes(root) = self {
            let scopes = scope::all(root).into_iter();
            return scopes.map(|(unit, cluster)| (PathBuf::from(unit), cluster)).collect();
        }
        let entries = self.roots().iter().flat_map(|root| fs_err::read_dir(root.join(names::CGROUP)));
        let directories = entries.flatten().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let cluster = |name: &OsStr| names::cluster_of(&name.to_string_lossy()).to_owned();
        directories.map(|entry| (entry.path(), cluster(&entry.file_name()))).collect()
    }

    /// What moves a machine's supervisor into its cgroup, as the beginning of a command line.
    pub(crate) fn enter(&self, owner: &str, name: &str, limits: Limits) -> Vec<String> {
        if matches!(self, Self::Scopes(_)) { scope::enter(owner, name, limits) } else { Vec::new() }
    }

    /// Directories of a machine in every hierarchy.
    pub(crate) fn of_machine(&self, owner: &str, name: &str) -> Vec<PathBuf> {
        let path = match self {
            Self::V1(_) | Self::V2(_) => names::cgroup_path(owner, name),
            Self::Scopes(_) => scope::path(owner, name),
        };
        self.roots().iter().map(|root| root.join(&path)).collect()
    }
}

/// Upper bounds of a machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Memory, bytes.
    pub memory: Option<u64>,
    /// Processor time, thousandths of a processor.
    pub milli_cpus: Option<u64>,
}

impl Limits {
    /// File names and contents of a version 1 hierarchy. Without a limit the value is the kernel's "none".
    fn files_v1(self) -> [(&'static str, String); 2] {
        let memory = self.memory.map_or_else(|| "-1".to_owned(), |bytes| bytes.to_string());
        let quota = self.milli_cpus.map_or_else(|| "-1".to_owned(), |milli| (milli * PERIOD / 1000).to_string());
        [("memory.limit_in_bytes", memory), ("cpu.cfs_quota_us", quota)]
    }

    /// The same for version 2.
    fn files_v2(self) -> [(&'static str, String); 2] {
        let memory = self.memory.map_or_else(|| "max".to_owned(), |bytes| bytes.to_string());
        let quota = self.milli_cpus.map_or_else(|| "max".to_owned(), |milli| (milli * PERIOD / 1000).to_string());
        [("memory.max", memory), ("cpu.max", format!("{quota} {PERIOD}"))]
    }
}

/// Makes a machine's cgroup in every hierarchy; fine where it is there. A scope comes with its first process.
pub(crate) fn create(layout: &Layout, owner: &str, name: &str) -> Result<(), LocalError> {
    if matches!(layout, Layout::Scopes(_)) {
        return Ok(());
    }
    // The last machine that goes takes the directories above with it, perhaps between two of these steps.
    for _ in 0..RACES {
        match create_once(layout, owner, name) {
            Err(LocalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
    }
    create_once(layout, owner, name)
}

fn create_once(layout: &Layout, owner: &str, name: &str) -> Result<(), LocalError> {
    for root in layout.roots() {
        let mut directory = root.clone();
        for (depth, part) in [names::CGROUP, owner, name].into_iter().enumerate() {
            directory.push(part);
            match fs_err::create_dir(&directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(LocalError::Io { what: "make a machine's cgroup".into(), source: error });
                }
                _ => inherit(&directory)?,
            }
            if matches!(layout, Layout::V2(_)) && depth < 2 {
                delegate(&directory)?;
            }
        }
    }
    Ok(())
}

/// A new cpuset of version 1 is empty, and nothing can run in it, until it gets its parent's processors and memory nodes.
fn inherit(directory: &Path) -> Result<(), LocalError> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let own = directory.join(file);
        let parent = directory.parent().map(|parent| parent.join(file)).filter(|parent| parent.exists());
        let (Some(parent), true) = (parent, own.exists()) else { continue };
        let what = || format!("copy {}", own.display());
        if fs_err::read_to_string(&own).map_err(LocalError::io(what()))?.trim().is_empty() {
            let value = fs_err::read_to_string(parent).map_err(LocalError::io(what()))?;
            fs_err::write(&own, value.trim()).map_err(LocalError::io(what()))?;
        }
    }
    Ok(())
}

/// Hands the controllers of a version 2 cgroup on to its children.
fn delegate(directory: &Path) -> Result<(), LocalError> {
    let what = || format!("delegate controllers of {}", directory.display());
    let controllers = fs_err::read_to_string(directory.join("cgroup.controllers")).map_err(LocalError::io(what()))?;
    let enabled: Vec<String> = controllers.split_whitespace().map(|controller| format!("+{controller}")).collect();
    fs_err::write(directory.join("cgroup.subtree_control"), enabled.join(" ")).map_err(LocalError::io(what()))
}

/// Sets a machine's upper bounds.
pub(crate) fn limit(layout: &Layout, owner: &str, name: &str, limits: Limits) -> Result<(), LocalError> {
    let files = match layout {
        Layout::V1(_) => limits.files_v1(),
        Layout::V2(_) => limits.files_v2(),
        Layout::Scopes(root) => return scope::limit(root, owner, name, limits),
    };
    for directory in layout.of_machine(owner, name) {
        for (file, value) in &files {
            let path = directory.join(file);
            if path.exists() {
                fs_err::write(&path, value).map_err(LocalError::io(format!("write {value} to {}", path.display())))?;
            }
        }
    }
    Ok(())
}

/// The upper bounds that a machine's cgroups have now.
pub(crate) fn limits(layout: &Layout, owner: &str, name: &str) -> Limits {
    let read = |file: &str| {
        let mut directories = layout.of_machine(owner, name).into_iter();
        directories.find_map(|directory| fs_err::read_to_string(directory.join(file)).ok())
    };
    let number = |text: String| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    let quota = read("cpu.cfs_quota_us").or_else(|| read("cpu.max")).and_then(number);
    Limits {
        memory: read("memory.limit_in_bytes").or_else(|| read("memory.max")).and_then(number).filter(limited),
        milli_cpus: quota.map(|quota| quota * 1000 / PERIOD),
    }
}

/// Version 1 shows "no limit" as the largest number of pages.
#[allow(clippy::trivially_copy_pass_by_ref)] // The shape that `filter` wants.
fn limited(bytes: &u64) -> bool {
    *bytes < u64::MAX / 4
}

/// Removes a machine's cgroups with everything below them, bottom up.
///
/// Stale `kubepods` groups of a last boot make kubelet start static pods 67 s late.
pub(crate) fn remove(layout: &Layout, owner: &str, name: &str) -> Result<(), LocalError> {
    if let Layout::Scopes(root) = layout {
        return scope::remove(root, owner, name, EMPTYING);
    }
    let until = Instant::now() + EMPTYING;
    for directory in layout.of_machine(owner, name) {
        remove_tree(&directory, until)?;
    }
    Ok(())
}

/// Removes the cgroups above a machine's where it was the last of its cluster, or of all.
pub(crate) fn remove_empty_parents(layout: &Layout, owner: &str) {
    if matches!(layout, Layout::Scopes(_)) {
        return;
    }
    for root in layout.roots() {
        // They stay while another machine or cluster has its cgroup there.
        let _ = fs_err::remove_dir(root.join(names::CGROUP).join(owner));
        let _ = fs_err::remove_dir(root.join(names::CGROUP));
    }
}

fn remove_tree(directory: &Path, until: Instant) -> Result<(), LocalError> {
    let entries = match fs_err::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(LocalError::Io { what: "remove a machine's cgroup".into(), source }),
    };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_tree(&entry.path(), until)?;
    }
    loop {
        match fs_err::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(source) => return Err(LocalError::Io { what: "remove a machine's cgroup".into(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "\
25 20 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
29 25 0:26 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
30 1 0:24 / /mnt/memory rw,relatime - cgroup cgroup rw,memory";

    #[test]
    fn a_hybrid_host_counts_as_version_1_and_each_hierarchy_once() {
        let paths = ["cpu,cpuacct", "memory", "systemd"].map(|name| PathBuf::from("/sys/fs/cgroup").join(name));
        assert_eq!(Layout::read(V1, true), Layout::V1(paths.to_vec()));
    }

    #[test]
    fn a_host_without_version_1_controllers_is_version_2() {
        let table = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(Layout::read(table, false), Layout::V2("/sys/fs/cgroup".into()));
    }

    #[test]
    fn under_systemd_with_version_2_a_machine_has_a_scope_and_nothing_is_made_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let table = format!("30 24 0:26 / {} rw - cgroup2 cgroup2 rw", directory.path().display());
        let layout = Layout::read(&table, true);
        assert_eq!(layout, Layout::Scopes(directory.path().to_owned()));
        create(&layout, "dev", "cp-1").unwrap();
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 0);
        let scope = directory.path().join("system.slice/kubewright-dev_cp-1.scope");
        assert_eq!(layout.of_machine("dev", "cp-1"), std::slice::from_ref(&scope));
        fs_err::create_dir_all(&scope).unwrap();
        fs_err::write(scope.join("memory.max"), "1073741824\n").unwrap();
        fs_err::write(scope.join("cpu.max"), "150500 100000\n").unwrap();
        let in_force = Limits { memory: Some(1 << 30), milli_cpus: Some(1505) };
        assert_eq!(limits(&layout, "dev", "cp-1"), in_force);
        assert_eq!(layout.marked(), [(PathBuf::from("kubewright-dev_cp-1.scope"), "dev".to_owned())]);
    }

    #[test]
    fn a_machine_has_a_directory_in_every_hierarchy() {
        let found = Layout::read(V1, false).of_machine("dev", "cp-1");
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], Path::new("/sys/fs/cgroup/memory/kubewright/dev/cp-1"));
    }

    #[test]
    fn limits_become_the_kernels_numbers() {
        let limits = Limits { memory: Some(1 << 30), milli_cpus: Some(1500) };
        assert_eq!(limits.files_v1()[1], ("cpu.cfs_quota_us", "150000".into()));
        assert_eq!(limits.files_v2()[1], ("cpu.max", "150000 100000".into()));
        assert_eq!(Limits::default().files_v1()[0], ("memory.limit_in_bytes", "-1".into()));
    }

    #[test]
    fn a_tree_is_removed_bottom_up_and_may_be_gone_already() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::V1(vec![directory.path().to_owned()]);
        create(&layout, "dev", "cp-1").unwrap();
        fs_err::create_dir_all(directory.path().join("kubewright/dev/cp-1/kubepods/burstable")).unwrap();
        remove(&layout, "dev", "cp-1").unwrap();
        remove(&layout, "dev", "cp-1").unwrap();
        remove_empty_parents(&layout, "dev");
        assert!(!directory.path().join("kubewright").exists());
    }
}
