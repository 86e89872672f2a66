//! Rule: components listen where those who ask them reach them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Finding, World};
use crate::check::join;
use crate::effective::Draft;
use crate::{Cluster, Role};

const FLAG: &str = "bind-address";

pub(super) fn check(world: &World<'_>, cluster: &Draft<Cluster>) -> Vec<Finding> {
    let spec = &cluster.value.spec;
    let machines = control_planes(world);
    let components: [(&str, &str, &BTreeMap<String, String>); 3] = [
        ("kube-apiserver", "kubeAPIServer", &spec.kube_api_server.extra_args),
        ("kube-controller-manager", "kubeControllerManager", &spec.kube_controller_manager.extra_args),
        ("kube-scheduler", "kubeScheduler", &spec.kube_scheduler.extra_args),
    ];
    let found = components.into_iter().filter_map(|(program, section, arguments)| {
        // What is no address is complained about elsewhere; the empty text is none.
        let address: IpAddr = arguments.get(FLAG)?.trim().parse().ok()?;
        let finding = said(program, address.to_canonical(), machines)?;
        Some(finding.at(cluster, join(&format!("spec.{section}.extraArgs"), FLAG)))
    });
    found.collect()
}

/// Machines with a control plane; one where that is not known.
fn control_planes(world: &World<'_>) -> u32 {
    let groups = world.groups().iter().filter(|group| group.value.spec.role == Role::ControlPlane);
    if world.is_complete() { groups.map(|group| group.value.spec.count).sum() } else { 1 }
}

fn said(program: &str, address: IpAddr, machines: u32) -> Option<Finding> {
    const CODE: &str = "spec::bind-address";
    let is_api = program == "kube-apiserver";
    if address.is_unspecified() || (address.is_loopback() && !is_api) {
        return None;
    }
    let help = if is_api { "write `0.0.0.0`, or leave it out" } else { "write `127.0.0.1`, or leave it out" };
    if address.is_loopback() {
        let message = format!("no other machine reaches an API server that listens on {address}");
        return Some(Finding::error(CODE, message).help(help));
    }
    let finding = if machines > 1 {
        let message =
            format!("{program} does not start on a machine that has not the address {address}, and one has it");
        Finding::error(CODE, message)
    } else {
        Finding::warning(CODE, format!("{program} does not start unless its machine has the address {address}"))
    };
    Some(finding.help(help))
}
