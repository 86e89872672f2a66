//! Rule: what is reserved leaves something of a machine for pods.

use super::managers::{eviction_memory, processor_set};
use super::settings::Settings;
use crate::effective::Draft;
use crate::format::amounts::parse_quantity;
use crate::validate::{Finding, World};
use crate::{InstanceGroup, Role};

const HELP: &str = "reserve less, or give the machines more";

/// What is reserved of the machines of `group`, against their size where it is given.
pub(super) fn check(world: &World<'_>, group: &Draft<InstanceGroup>, settings: &Settings) -> Vec<Finding> {
    let none_left = [memory(world, group, settings), processors(world, group, settings)];
    let findings: Vec<Finding> = none_left.into_iter().flatten().collect();
    if findings.is_empty() { little_room(group, settings).into_iter().collect() } else { findings }
}

/// What the cluster's own pods ask for on a machine: thousandths of a processor, MiB of memory. DNS counts in: where it
/// finds no room, the cluster has no names.
fn own_pods(role: Role) -> (f64, f64) {
    let of_every_machine = (50.0 + 100.0, 50.0 + 50.0);
    let dns = (100.0, 70.0);
    let of_control_planes = match role {
        // API server, controller manager, scheduler, etcd; only the last says how much memory it needs.
        Role::ControlPlane => (250.0 + 200.0 + 100.0 + 100.0, 100.0),
        Role::Worker => (0.0, 0.0),
    };
    (of_every_machine.0 + dns.0 + of_control_planes.0, of_every_machine.1 + dns.1 + of_control_planes.1)
}

/// Machines on which the cluster's own pods already find no room.
fn little_room(group: &Draft<InstanceGroup>, settings: &Settings) -> Option<Finding> {
    let spec = &group.value.spec;
    let (processors, memory) = own_pods(spec.role);
    let size = spec.machine.memory.as_deref().and_then(parse_quantity);
    let evicted = eviction_memory(settings, size).unwrap_or(0.0);
    let memory_left = size.map(|size| (size - settings.reserved(|one| &one.memory) - evicted) / 1_048_576.0);
    let processors_left = spec.machine.cpus.map(|size| (f64::from(size) - settings.reserved(|one| &one.cpu)) * 1000.0);
    let (field, message) = match (memory_left, processors_left) {
        (Some(left), _) if left < memory => (
            "spec.machine.memory",
            format!(
                "{left:.0}Mi of memory are left for pods on these machines, and the cluster's own ask for {memory:.0}Mi"
            ),
        ),
        (_, Some(left)) if left < processors => (
            "spec.machine.cpus",
            format!(
                "{left:.0}m of processors are left for pods on these machines, and the cluster's own ask for {processors:.0}m"
            ),
        ),
        _ => return None,
    };
    Some(Finding::warning("spec::little-room", message).at(group, field).help(HELP))
}

fn memory(world: &World<'_>, group: &Draft<InstanceGroup>, settings: &Settings) -> Option<Finding> {
    let size = group.value.spec.machine.memory.as_deref().and_then(parse_quantity)?;
    let reserves = settings.reserved(|one| &one.memory);
    let evicted = eviction_memory(settings, Some(size)).unwrap_or(0.0);
    if reserves + evicted < size {
        return None;
    }
    let message = if reserves >= size {
        "kube and system reserves leave no memory of these machines for pods".to_owned()
    } else {
        "kube and system reserves, with what `evictionHard` keeps free, leave no memory of these machines for pods"
            .to_owned()
    };
    Some(
        places(world, group, Finding::error("spec::reserves", message).at(group, "spec.machine.memory"), "memory")
            .help(HELP),
    )
}

fn processors(world: &World<'_>, group: &Draft<InstanceGroup>, settings: &Settings) -> Option<Finding> {
    let size = group.value.spec.machine.cpus?;
    if let Some(set) = settings.text("reservedSystemCPUs").and_then(processor_set) {
        let (count, last) = (set.len(), set.last().copied().unwrap_or(0));
        let none_left = u32::try_from(count).is_ok_and(|count| count >= size);
        let message = if last >= size {
            format!("`reservedSystemCPUs` names processor {last}, and these machines have {size}: 0 to {}", size - 1)
        } else {
            format!("`reservedSystemCPUs` leaves none of the {size} processors of these machines for pods")
        };
        let finding = Finding::error("spec::reserves", message).at(group, "spec.machine.cpus");
        return (none_left || last >= size).then(|| finding.help(HELP));
    }
    let reserved = settings.reserved(|one| &one.cpu);
    if reserved < f64::from(size) {
        return None;
    }
    let message = format!("kube and system reserves are {reserved} processors, and these machines have {size}");
    Some(
        places(world, group, Finding::error("spec::reserves", message).at(group, "spec.machine.cpus"), "cpu")
            .help(HELP),
    )
}

/// Where the reserves are written.
fn places(world: &World<'_>, group: &Draft<InstanceGroup>, finding: Finding, resource: &str) -> Finding {
    let mut finding = finding;
    for reserve in ["kubeReserved", "systemReserved"] {
        let field = format!("spec.kubelet.{reserve}.{resource}");
        if world.writes(group, &field) {
            finding = finding.and(group, field, reserve);
        } else if let Some(cluster) = world.cluster().filter(|cluster| world.writes(cluster, &field)) {
            finding = finding.and(cluster, field, reserve);
        }
    }
    finding
}
