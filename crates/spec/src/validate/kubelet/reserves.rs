//! Rule: what is reserved leaves something of a machine for pods.

use super::managers::{eviction_memory, processor_set};
use super::settings::Settings;
use crate::InstanceGroup;
use crate::effective::Draft;
use crate::format::amounts::parse_quantity;
use crate::validate::{Finding, World};

const HELP: &str = "reserve less, or give the machines more";

/// What is reserved of the machines of `group`, against their size where it is given.
pub(super) fn check(world: &World<'_>, group: &Draft<InstanceGroup>, settings: &Settings) -> Vec<Finding> {
    [memory(world, group, settings), processors(world, group, settings)].into_iter().flatten().collect()
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
