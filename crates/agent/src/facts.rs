//! What the machine says about itself, read from the kernel's and the OS's files without running a program.

use machine::{Facts, KubeletCertificate, certificate};

use crate::os::OsRelease;
use crate::system::System;

/// The facts of a machine. What can't be read stays empty, so that a hole which needs it is an error.
pub(crate) fn gather(system: &System) -> Facts {
    let os = OsRelease::read(system);
    let cgroup_version = if system.exists("/sys/fs/cgroup/cgroup.controllers") { 2 } else { 1 };
    Facts {
        hostname: line(system, "/proc/sys/kernel/hostname"),
        os: os.id,
        os_version: os.version,
        kernel: line(system, "/proc/sys/kernel/osrelease"),
        arch: architecture(std::env::consts::ARCH).into(),
        cgroup_version,
        cgroup_driver: cgroup_driver(cgroup_version, system.exists("/run/systemd/container")).into(),
        resolv_conf: resolv_conf(system).into(),
        cpus: std::thread::available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        memory_bytes: memory_bytes(&system.text("/proc/meminfo").unwrap_or_default()),
        swap: !active_swaps(system).is_empty(),
        kubelet_certificates: kubelet_certificates(system),
    }
}

/// Where kubelet keeps what it got from the cluster (`pkg/kubelet/certificate/kubelet.go`), and what each is for.
const KUBELET_CERTIFICATES: [(&str, &str); 2] = [
    ("client", "/var/lib/kubelet/pki/kubelet-client-current.pem"),
    ("serving", "/var/lib/kubelet/pki/kubelet-server-current.pem"),
];

fn kubelet_certificates(system: &System) -> Vec<KubeletCertificate> {
    let certificate = |(purpose, path): (&str, &str)| {
        let (begins, ends) = certificate::validity(system.text(path)?.as_bytes())?;
        Some(KubeletCertificate { purpose: purpose.to_owned(), begins, ends })
    };
    KUBELET_CERTIFICATES.into_iter().filter_map(certificate).collect()
}

/// The one place that says which cgroup driver works: systemd's on cgroup v2, except in a container, whose systemd
/// does not own the hierarchy that the kubelet's pods end up in.
fn cgroup_driver(version: u32, container: bool) -> &'static str {
    if version == 2 && !container { "systemd" } else { "cgroupfs" }
}

/// The stub of systemd-resolved (127.0.0.53) does not exist in a pod, so pods need the list behind it.
fn resolv_conf(system: &System) -> &'static str {
    const BEHIND_THE_STUB: &str = "/run/systemd/resolve/resolv.conf";
    // systemd keeps this dangling symlink for as long as the unit runs (systemd, unit.c: unit_export_invocation_id).
    let runs = system.path("/run/systemd/units/invocation:systemd-resolved.service").is_symlink();
    if runs && system.exists(BEHIND_THE_STUB) { BEHIND_THE_STUB } else { "/etc/resolv.conf" }
}

/// Go's name of an architecture.
fn architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

fn memory_bytes(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// Devices and files on which the kernel swaps now.
pub(crate) fn active_swaps(system: &System) -> Vec<String> {
    let table = system.text("/proc/swaps").unwrap_or_default();
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next().map(String::from)).collect()
}

/// The first line of a file of the kernel.
pub(crate) fn line(system: &System, path: &str) -> String {
    system.text(path).unwrap_or_default().lines().next().unwrap_or_default().trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::World;

    #[test]
    fn the_cgroup_driver_is_systemd_only_on_v2_outside_containers() {
        assert_eq!(cgroup_driver(2, false), "systemd");
        assert_eq!(cgroup_driver(2, true), "cgroupfs");
        assert_eq!(cgroup_driver(1, false), "cgroupfs");
    }

    #[test]
    fn the_list_behind_the_stub_is_used_only_while_resolved_runs() {
        let world = World::new();
        world.write("/run/systemd/resolve/resolv.conf", "nameserver 10.0.0.1\n");
        assert_eq!(gather(&world.system).resolv_conf, "/etc/resolv.conf");
        world.link("/run/systemd/units/invocation:systemd-resolved.service", "0123");
        assert_eq!(gather(&world.system).resolv_conf, "/run/systemd/resolve/resolv.conf");
    }

    #[test]
    fn facts_are_read_from_the_machine() {
        let world = World::new();
        let facts = gather(&world.system);
        assert_eq!((facts.os.as_str(), facts.os_version.as_str()), ("debian", "13"));
        assert_eq!(facts.memory_bytes, 8 << 30);
        assert!(!facts.swap);
        world.write("/proc/swaps", "Filename Type Size Used Priority\n/dev/vda2 partition 1 0 -2\n");
        assert!(gather(&world.system).swap);
    }
}
