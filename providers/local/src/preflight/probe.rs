//! Looks at this host: user, programs, kernel, networks, disk. Changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use super::{FEATURES, Probe, programs};
use crate::cgroup::Layout;
use crate::setup::PackageManager;
use crate::{HostCapacity, HostFacts, LocalError, command};

/// Looks at this host. `machines` is where machines will live; it need not exist.
pub(crate) fn probe(machines: &Path) -> Result<Probe, LocalError> {
    let installed = |program: &str| command::find(program).is_some();
    let programs = programs().filter(|program| installed(program)).map(str::to_owned).collect();
    Ok(Probe {
        root: rustix::process::geteuid().is_root(),
        programs,
        features: features(),
        facts: HostFacts::gather().ok(),
        free_disk: free_disk(machines),
        capacity: HostCapacity::of_this_host(),
        kernel: kernel(&fs_err::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()),
        cgroups: cgroup_obstacle(&Layout::of_host()?),
        packages: PackageManager::of_host(),
    })
}

/// Major and minor version of a kernel's release, such as `6.12.0-1-amd64`.
fn kernel(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.trim().split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Free space of the file system that holds a path or its nearest parent that exists.
fn free_disk(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let system = rustix::fs::statvfs(existing).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

fn cgroup_obstacle(layout: &Layout) -> Option<String> {
    match layout {
        Layout::V1(roots) if roots.is_empty() => Some("no cgroup hierarchy is mounted".into()),
        Layout::V1(roots) if !roots.iter().any(|root| root.ends_with("systemd")) => {
            Some("cgroups are version 1 without the hierarchy name=systemd".into())
        }
        _ => None,
    }
}

/// Which features the kernel has: in use, built in, or as a module that can be loaded.
fn features() -> BTreeMap<String, bool> {
    let config = Path::new("/proc/config.gz").exists();
    let release = fs_err::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = Path::new("/lib/modules").join(release.trim());
    let listed =
        ["modules.builtin", "modules.dep"].map(|file| fs_err::read_to_string(modules.join(file)).unwrap_or_default());
    let systems = fs_err::read_to_string("/proc/filesystems").unwrap_or_default();
    let known = FEATURES.iter().filter_map(|(feature, _)| {
        let used = Path::new("/sys/module").join(feature).is_dir()
            || systems.split_whitespace().any(|system| system == *feature)
            || (*feature == "br_netfilter" && Path::new("/proc/sys/net/bridge").is_dir());
        let found = used || listed.iter().any(|text| lists(text, feature));
        // A kernel without a list of its modules may have everything built in.
        let told = found || (!config && listed.iter().any(|text| !text.is_empty()));
        told.then(|| ((*feature).to_owned(), found))
    });
    known.collect()
}

/// Whether a modules.builtin or modules.dep names a module. Files may be compressed: `.ko`, `.ko.xz`, `.ko.zst`.
fn lists(text: &str, module: &str) -> bool {
    let file = format!("/{module}.ko");
    text.lines().any(|line| line.split(':').next().is_some_and(|path| path.contains(&file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_their_file_name() {
        let text = "kernel/net/bridge/bridge.ko.zst: kernel/net/802/stp.ko.zst\nkernel/fs/overlayfs/overlay.ko:\n";
        assert!(lists(text, "bridge") && lists(text, "overlay"));
        assert!(!lists(text, "stp"), "a dependency is not the module itself");
    }

    #[test]
    fn a_host_without_cgroups_is_told() {
        assert!(cgroup_obstacle(&Layout::V1(Vec::new())).is_some());
        assert!(cgroup_obstacle(&Layout::V1(vec!["/sys/fs/cgroup/memory".into()])).is_some());
        assert!(cgroup_obstacle(&Layout::V2("/sys/fs/cgroup".into())).is_none());
    }
}
