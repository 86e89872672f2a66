//! Whether this host can carry local machines: a pure judgement of what was probed.

mod probe;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ipnet::Ipv4Net;
use provider::Finding;

pub(crate) use probe::probe;

use crate::facts::HostLink;
use crate::machine::Home;
use crate::owner::Owner;
use crate::setup::{self, PackageManager};
use crate::{HostCapacity, HostFacts, machine, names, network, subnet};

/// What is about to be made on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightInput {
    /// The cluster's name.
    pub cluster: String,
    /// Identity of the cluster's state.
    pub lineage: String,
    /// Its bridge.
    pub bridge: String,
    /// Its subnet.
    pub subnet: Ipv4Net,
    /// Whether its network was made already.
    pub recorded: bool,
    /// How many machines.
    pub machines: usize,
    /// Whether the machine image must still be built.
    pub builds_image: bool,
    /// Whether kube-proxy runs in the mode `nftables`.
    pub proxies_by_nftables: bool,
}

/// Programs that every local cluster needs, and what for.
const PROGRAMS: [(&str, &str); 7] = [
    ("ip", "networks are made with it"),
    ("mount", "machines' root file systems are mounted with it"),
    ("nft", "addresses are translated with it"),
    ("setsid", "machines are detached with it"),
    ("sh", "machines are started by it"),
    ("systemd-nspawn", "machines are its containers"),
    ("unshare", "machines get namespaces of their own with it"),
];
/// What builds the machine image.
const IMAGE_PROGRAM: (&str, &str) = ("mmdebstrap", "the machine image is built with it");

/// What the kernel must be able to do: module, what for.
pub(crate) const FEATURES: [(&str, &str); 5] = [
    ("br_netfilter", "services must be reachable from pods of the same node"),
    ("bridge", "machines are joined by a bridge"),
    ("nf_tables", "addresses are translated"),
    ("overlay", "machines share one image"),
    ("veth", "machines are plugged into the bridge"),
];

/// The first kernel whose nftables kube-proxy takes (Kubernetes: `getNFTablesInterface`).
const NFTABLES_KERNEL: (u32, u32) = (5, 13);

/// Disk space for what a machine writes beyond shared files, bytes: logs, images' databases, volumes.
const DISK_PER_MACHINE: u64 = 512 << 20;
/// Disk space for building the machine image, bytes.
const DISK_FOR_IMAGE: u64 = 2 << 30;

/// What was found on this host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probe {
    /// This process may do everything.
    pub root: bool,
    /// Programs among the needed ones that are installed.
    pub programs: BTreeSet<String>,
    /// Whether a feature is there; missing where it cannot be told.
    pub features: BTreeMap<String, bool>,
    /// Links, addresses, routes; missing where `ip` is.
    pub facts: Option<HostFacts>,
    /// Free disk space where machines live, bytes.
    pub free_disk: Option<u64>,
    /// How large the host is; missing where it can't be told.
    pub capacity: Option<HostCapacity>,
    /// Major and minor version of the kernel; missing where they can't be told.
    pub kernel: Option<(u32, u32)>,
    /// cgroups are usable for machines, or why not.
    pub cgroups: Option<String>,
    /// The host's package manager.
    pub packages: Option<PackageManager>,
}

/// Names of all programs that may be needed.
pub(crate) fn programs() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().chain([&IMAGE_PROGRAM]).map(|(program, _)| *program)
}

/// Everything that stands in the way of what is to be made.
pub(crate) fn judge(input: &PreflightInput, probe: &Probe) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !probe.root {
        let why = "local machines need root: they are containers with their own networks; run the command with sudo";
        findings.push(Finding::new("user", why, None));
    }
    findings.extend(missing_programs(input, probe));
    findings.extend(missing_features(probe));
    findings.extend(old_kernel(input, probe));
    findings.extend(probe.cgroups.iter().map(|why| Finding::new("cgroups", why, None)));
    let too_little = probe.capacity.and_then(|host| host.too_little_memory());
    findings.extend(too_little.map(|why| Finding::new("memory", why, None)));
    if let Some(facts) = &probe.facts {
        let owner = Owner::new(&input.lineage, &input.cluster);
        findings.extend(taken_bridge(&owner, &input.bridge, input.recorded, &facts.links));
        findings.extend(subnet::check(&input.cluster, input.subnet, facts, &[]));
    }
    findings.extend(full_disk(input, probe));
    findings
}

/// A kernel on which kube-proxy ends at once in the mode that it is to run in.
fn old_kernel(input: &PreflightInput, probe: &Probe) -> Option<Finding> {
    let (major, minor) = probe.kernel.filter(|kernel| input.proxies_by_nftables && *kernel < NFTABLES_KERNEL)?;
    let why = "kube-proxy's mode nftables needs 5.13; set spec.networking.kubeProxy.mode to iptables";
    Some(Finding::new(format!("kernel {major}.{minor}"), why, None))
}

fn missing_programs(input: &PreflightInput, probe: &Probe) -> Vec<Finding> {
    let image = input.builds_image.then_some(&IMAGE_PROGRAM);
    let missing = PROGRAMS.iter().chain(image).filter(|(program, _)| !probe.programs.contains(*program));
    missing
        .map(|(program, why)| {
            let command = probe.packages.map(|manager| setup::command_for(manager, program));
            let why = format!("it is not installed, and {why}");
            Finding { can_be_installed: true, ..Finding::new(format!("program {program}"), why, command) }
        })
        .collect()
}

fn missing_features(probe: &Probe) -> Vec<Finding> {
    let missing = FEATURES.iter().filter(|(feature, _)| probe.features.get(*feature) == Some(&false));
    missing
        .map(|(feature, why)| {
            let why = format!("the running kernel lacks it, and {why}");
            Finding::new(format!("kernel feature {feature}"), why, Some(format!("modprobe {feature}")))
        })
        .collect()
}

/// The bridge of a cluster, where it carries another owner's marker or none. `recorded`: our record knows the bridge.
pub(crate) fn taken_bridge(owner: &Owner, bridge: &str, recorded: bool, links: &[HostLink]) -> Option<Finding> {
    let link = links.iter().find(|link| link.name == bridge)?;
    let marked = link.alias.as_deref().and_then(Owner::read);
    if marked.as_ref().is_some_and(|marked| owner.owns(marked, recorded)) {
        return None;
    }
    let whose = network::foreign(bridge, marked.as_ref());
    let running = marked.and_then(|marked| running_from(&marked.cluster, &machine::supervisors()));
    let why = match &running {
        Some(directory) => format!("{whose}, whose machines run from {directory}"),
        None => whose,
    };
    let state = running.as_deref().and_then(|directory| directory.strip_suffix("/machines"));
    let command = state.map_or_else(|| format!("ip -d link show {bridge}"), clusters_of);
    Some(Finding::new(format!("link {bridge}"), why, Some(command)))
}

/// Machines of a cluster of this name that run from another directory than `own`: what their names share on the host (the
/// bridge, and cgroups and links of those that an earlier release made) would be taken from them. A directory that is gone
/// was moved, and is `own`.
pub(crate) fn running_elsewhere(cluster: &str, own: &Path, supervisors: &[String]) -> Option<Finding> {
    let directory = running_from(cluster, supervisors).filter(|directory| Path::new(directory) != own)?;
    if !Path::new(&directory).is_dir() {
        return None;
    }
    let state = directory.strip_suffix("/machines").unwrap_or(&directory);
    let why = format!("machines of a cluster {cluster} of another state run from {directory}");
    Some(Finding::new(format!("machines of {cluster}"), why, Some(clusters_of(state))))
}

/// Machines of a cluster's name that were made for another state, running or not: two states may share a directory.
pub(crate) fn of_another_state(owner: &Owner, homes: &[Home]) -> Option<Finding> {
    let ours = owner.lineage.as_deref()?;
    let other = |home: &Home| {
        // Its directory says whose one is that was only begun.
        let named = home.owner.split_once('_').filter(|_| home.owner != owner.short_name());
        machine::other_lineage(home, ours).or_else(|| named.map(|(_, lineage)| lineage.to_owned()))
    };
    homes.iter().find_map(|home| {
        let other = Owner::new(&other(home)?, &owner.cluster);
        let why = format!("{} is of {other}", home.directory().display());
        Some(Finding::new(format!("machine {}", home.name), why, None))
    })
}

/// The command that lists the clusters of a state, whatever its directory is called.
fn clusters_of(state: &str) -> String {
    format!("kubewright get clusters --state '{}'", state.replace('\'', r"'\''"))
}

/// The directory of the machines of a cluster that run, from `<directory>/<owner>/<machine> (…)`.
fn running_from(cluster: &str, supervisors: &[String]) -> Option<String> {
    supervisors.iter().find_map(|line| {
        let home = line.rsplit_once(" (").map_or(line.as_str(), |(home, _)| home);
        let (of_cluster, _) = home.rsplit_once('/')?;
        let (directory, name) = of_cluster.rsplit_once('/')?;
        (names::cluster_of(name) == cluster).then(|| directory.to_owned())
    })
}

fn full_disk(input: &PreflightInput, probe: &Probe) -> Option<Finding> {
    let image = if input.builds_image { DISK_FOR_IMAGE } else { 0 };
    let machines = u64::try_from(input.machines).unwrap_or(u64::MAX);
    let needed = machines.saturating_mul(DISK_PER_MACHINE).saturating_add(image);
    let free = probe.free_disk.filter(|free| *free < needed)?;
    let why = format!("{} MiB are free where machines live, {} MiB are needed", free >> 20, needed >> 20);
    Some(Finding::new("disk", why, Some("df -h".into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::HostLink;

    fn input() -> PreflightInput {
        PreflightInput {
            cluster: "dev".into(),
            lineage: "1a-2b".into(),
            bridge: "kw-dev".into(),
            subnet: "10.88.0.0/24".parse().unwrap(),
            recorded: false,
            machines: 3,
            builds_image: false,
            proxies_by_nftables: true,
        }
    }

    fn good() -> Probe {
        Probe {
            root: true,
            programs: programs().map(str::to_owned).collect(),
            facts: Some(HostFacts::default()),
            free_disk: Some(100 << 30),
            packages: Some(PackageManager::Apt),
            ..Probe::default()
        }
    }

    fn objects(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.object.as_str()).collect()
    }

    #[test]
    fn a_good_host_has_nothing_in_the_way() {
        assert!(judge(&input(), &good()).is_empty());
    }

    #[test]
    fn a_missing_program_comes_with_the_command_that_installs_it() {
        let mut probe = good();
        probe.programs.remove("systemd-nspawn");
        probe.programs.remove("mmdebstrap");
        let findings = judge(&input(), &probe);
        assert_eq!(objects(&findings), ["program systemd-nspawn"]);
        assert!(findings[0].command.as_deref().unwrap().contains("apt-get install"), "{findings:?}");
        assert_eq!(judge(&PreflightInput { builds_image: true, ..input() }, &probe).len(), 2);
    }

    #[test]
    fn an_old_kernel_stands_in_the_way_of_the_mode_that_needs_a_newer_one() {
        let on = |kernel| Probe { kernel: Some(kernel), ..good() };
        assert_eq!(objects(&judge(&input(), &on((5, 10)))), ["kernel 5.10"]);
        assert!(judge(&PreflightInput { proxies_by_nftables: false, ..input() }, &on((5, 10))).is_empty());
        assert!(judge(&input(), &on((5, 13))).is_empty() && judge(&input(), &on((6, 1))).is_empty());
    }

    #[test]
    fn everything_is_told_at_once() {
        let foreign = HostLink { name: "kw-dev".into(), alias: None, kind: None };
        let probe = Probe {
            root: false,
            features: BTreeMap::from([("overlay".to_owned(), false), ("veth".to_owned(), true)]),
            facts: Some(HostFacts { links: vec![foreign], ..HostFacts::default() }),
            free_disk: Some(1 << 20),
            capacity: Some(HostCapacity { memory: 1 << 30, processors: 2 }),
            ..good()
        };
        assert_eq!(
            objects(&judge(&input(), &probe)),
            ["user", "kernel feature overlay", "memory", "link kw-dev", "disk"]
        );
    }

    #[test]
    fn whose_a_taken_bridge_is_and_where_its_machines_run_is_said() {
        let link = |alias: &str| HostLink { name: "kw-dev".into(), alias: Some(alias.into()), kind: None };
        let owner = Owner::new("1a-2b", "dev");
        let why = |alias, recorded| taken_bridge(&owner, "kw-dev", recorded, &[link(alias)]).map(|found| found.why);
        assert!(why("kubewright:9z-8y/dev", true).unwrap().contains("cluster dev of another state"));
        assert!(why("kubewright:dev", false).is_some() && why("kubewright:dev", true).is_none());
        let supervisors = ["/a/machines/dev/cp-1 (kw-x)".to_owned()];
        assert_eq!(running_from("dev", &supervisors).as_deref(), Some("/a/machines"));
        assert_eq!(running_from("other", &supervisors), None);
    }

    #[test]
    fn machines_of_the_name_that_run_from_another_directory_are_anothers_even_without_a_bridge() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display().to_string();
        let supervisors = [format!("{place}/dev/cp-1 (kw-x)")];
        let found = |cluster, own| running_elsewhere(cluster, Path::new(own), &supervisors).map(|found| found.why);
        assert!(found("dev", "/other/machines").unwrap().contains(&place));
        assert!(found("dev", &place).is_none() && found("other", "/other/machines").is_none());
        let moved = ["/gone/machines/dev/cp-1 (kw-x)".to_owned()];
        assert_eq!(running_elsewhere("dev", Path::new("/other/machines"), &moved), None);
    }

    #[test]
    fn the_clusters_own_bridge_is_no_obstacle() {
        let own = HostLink { name: "kw-dev".into(), alias: Some("kubewright:1a-2b/dev".into()), kind: None };
        let probe = Probe { facts: Some(HostFacts { links: vec![own], ..HostFacts::default() }), ..good() };
        assert!(judge(&input(), &probe).is_empty());
    }
}
