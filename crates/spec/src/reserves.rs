//! What of a machine is kept free of pods: the user's reserves, and ours where the user says nothing.

use crate::format::amounts::{bytes, parse_quantity};
use crate::{Kubelet, MachineSize, Reserved};

/// Processors for kubelet and containerd, and as many for the operating system.
const PROCESSORS: &str = "100m";
/// Memory for kubelet and containerd in MiB: they hold about 150 on a machine with few pods.
const KUBE_MEMORY: u64 = 200;
/// Memory for the operating system in MiB.
const SYSTEM_MEMORY: u64 = 100;
/// Of a small machine, neither default takes more than this part.
const LARGEST_PART: u64 = 10;

/// What is kept free of pods, so that a machine full of them still has a kubelet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reserves {
    /// For kubelet and containerd.
    pub kube: Reserved,
    /// For everything else that is no pod.
    pub system: Reserved,
}

impl Reserves {
    /// The reserves of layers, later ones over earlier ones, with defaults.
    pub fn of(layers: &[&Kubelet], machine: &MachineSize) -> Self {
        Self::asked_for(layers).with_defaults(machine)
    }

    /// The reserves of layers, later ones over earlier ones, and nothing else.
    pub fn asked_for(layers: &[&Kubelet]) -> Self {
        let mut reserves = Self::default();
        for layer in layers {
            overlay(&mut reserves.kube, &layer.kube_reserved);
            overlay(&mut reserves.system, &layer.system_reserved);
        }
        reserves
    }

    /// The same with the defaults for each resource that nobody reserves for anybody: who says a part means the whole.
    fn with_defaults(self, machine: &MachineSize) -> Self {
        let mut reserves = self;
        if reserves.kube.cpu.is_none() && reserves.system.cpu.is_none() {
            reserves.kube.cpu = Some(PROCESSORS.to_owned());
            reserves.system.cpu = Some(PROCESSORS.to_owned());
        }
        if reserves.kube.memory.is_none() && reserves.system.memory.is_none() {
            let size = machine.memory.as_deref().and_then(bytes).map(|bytes| bytes >> 20);
            let default = |most: u64| Some(format!("{}Mi", size.map_or(most, |size| most.min(size / LARGEST_PART))));
            reserves.kube.memory = default(KUBE_MEMORY);
            reserves.system.memory = default(SYSTEM_MEMORY);
        }
        reserves
    }

    /// Keeps `memory` (bytes) and `processors` more for the system: the part of a shared host that is not the machine's, and
    /// that kubelet takes for its own.
    #[must_use]
    pub fn with_others(mut self, memory: u64, processors: u32) -> Self {
        if memory > 0 {
            let own = self.system.memory.as_deref().and_then(bytes).unwrap_or(0);
            self.system.memory = Some(format!("{}Mi", own.saturating_add(memory).div_ceil(1 << 20)));
        }
        if processors > 0 {
            let own = self.system.cpu.as_deref().and_then(parse_quantity).unwrap_or(0.0);
            self.system.cpu = Some(format!("{:.0}m", (own + f64::from(processors)) * 1000.0));
        }
        self
    }
}

fn overlay(into: &mut Reserved, from: &Reserved) {
    for (into, from) in [
        (&mut into.cpu, &from.cpu),
        (&mut into.memory, &from.memory),
        (&mut into.ephemeral_storage, &from.ephemeral_storage),
        (&mut into.pid, &from.pid),
    ] {
        if from.is_some() {
            into.clone_from(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(kube_memory: Option<&str>) -> Kubelet {
        let kube_reserved = Reserved { memory: kube_memory.map(str::to_owned), ..Reserved::default() };
        Kubelet { kube_reserved, ..Kubelet::default() }
    }

    fn memory(layers: &[&Kubelet], size: Option<&str>) -> [Option<String>; 2] {
        let machine = MachineSize { memory: size.map(str::to_owned), cpus: None };
        let reserves = Reserves::of(layers, &machine);
        [reserves.kube.memory, reserves.system.memory]
    }

    #[test]
    fn what_nobody_reserves_has_a_default_that_leaves_small_machines_something() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(memory(&[&layer(None)], None), [text("200Mi"), text("100Mi")]);
        assert_eq!(memory(&[&layer(None)], Some("512Mi")), [text("51Mi"), text("51Mi")]);
        // The user's number is the whole, and the last layer's counts.
        assert_eq!(memory(&[&layer(Some("1Gi")), &layer(None)], None), [text("1Gi"), None]);
        assert_eq!(memory(&[&layer(Some("1Gi")), &layer(Some("0"))], None), [text("0"), None]);
        let reserves = Reserves::of(&[&layer(Some("1Gi"))], &MachineSize::default());
        assert_eq!((reserves.kube.cpu, reserves.system.cpu), (text("100m"), text("100m")));
    }

    #[test]
    fn the_rest_of_a_shared_host_is_reserved_too() {
        let reserves = Reserves::of(&[], &MachineSize::default()).with_others(6 << 30, 2);
        assert_eq!(reserves.system.memory.as_deref(), Some("6244Mi"));
        assert_eq!(reserves.system.cpu.as_deref(), Some("2100m"));
        let alone = Reserves::of(&[], &MachineSize::default());
        assert_eq!(alone.clone().with_others(0, 0), alone);
    }
}
