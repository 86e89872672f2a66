//! What every machine must be: one config per group, and a small part per machine.

mod control_plane;
mod files;
mod group;
mod journal;
mod kubelet;
mod proxy;
pub(crate) mod seen;
mod user;

use std::collections::BTreeMap;

use catalog::names;
use machine::File;
use render::ExtraArgs;
use resource::Desired;
use serde_json::{Map, Value, json};
use spec::Role;

use crate::builder::{Builder, encode};
use crate::ids;
use crate::{Machine, ModelError, Resolved, place};

pub(crate) use control_plane::kubeadm_extras;
pub(crate) use kubelet::{configuration as kubelet_configuration, kubelet_conf};

/// Where programs are put.
pub const PROGRAMS: &str = "/usr/local/bin";

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) -> Result<(), ModelError> {
    for (machine, config) in resolved.machines.iter().zip(configs(resolved)?) {
        let inputs = json!({"target": target(machine), "lineage": resolved.lineage, "config": config});
        let id = ids::machine_config(&machine.name);
        let desired = Desired::new(id, inputs).at(place(resolved, machine));
        builder.add(desired.contained_in(machine.resource.clone()));
    }
    Ok(())
}

/// The part of a config that all machines of a group share, by the group's index.
///
/// # Errors
/// When an own template does not fit; anything else is a bug.
pub fn group_config(resolved: &Resolved, index: usize) -> Result<Value, ModelError> {
    group::config(resolved, &resolved.groups[index])
}

/// The configs of all machines, in their order.
pub(crate) fn configs(resolved: &Resolved) -> Result<Vec<Value>, ModelError> {
    let groups: Vec<Value> =
        (0..resolved.groups.len()).map(|index| group_config(resolved, index)).collect::<Result<_, _>>()?;
    let config =
        |machine: &Machine| Ok(json!({"group": groups[machine.group], "machine": machine_part(resolved, machine)?}));
    resolved.machines.iter().map(config).collect()
}

/// How to reach a machine: the input `target`, references unresolved.
pub fn target(machine: &Machine) -> Value {
    let access = &machine.access;
    json!({
        "name": machine.name,
        "address": access.address,
        "port": access.port,
        "user": access.user,
        "hostKey": access.host_key,
        "privateKey": access.private_key,
    })
}

/// Programs of a machine: asset, and the path where it is.
pub fn programs(role: Role) -> Vec<(String, String)> {
    let mut programs =
        vec![names::KUBELET, names::KUBEADM, names::KUBECTL, names::CONTAINERD, names::CONTAINERD_SHIM, names::CTR];
    if role == Role::ControlPlane {
        programs.extend([names::ETCDCTL, names::ETCDUTL]);
    }
    let mut binaries: Vec<(String, String)> =
        programs.into_iter().map(|name| (name.to_owned(), format!("{PROGRAMS}/{name}"))).collect();
    binaries.push((names::CNI_PLUGINS.to_owned(), "/opt/cni/bin".to_owned()));
    binaries
}

fn machine_part(resolved: &Resolved, machine: &Machine) -> Result<Value, ModelError> {
    let mut files = Map::new();
    // kubelet reads it when it starts.
    let kubelet_conf =
        File { mode: "0600".to_owned(), ..files::restarting(kubelet_conf(resolved, machine)?, group::KUBELET_SERVICE) };
    files.insert("/etc/kubernetes/kubelet.conf".to_owned(), encode("kubelet.conf", &kubelet_conf)?);
    if machine.role == Role::ControlPlane {
        control_plane::machine_files(resolved, machine, &mut files);
    }
    Ok(json!({"nodeName": machine.name, "nodeIps": [resolved.address(machine)], "files": files}))
}

/// Flags as the user writes them, in the form that may repeat.
pub(crate) fn extra_args(args: &BTreeMap<String, String>) -> ExtraArgs {
    args.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect()
}
