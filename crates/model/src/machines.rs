//! The machines themselves and their network, on local ground.

use std::collections::BTreeMap;
use std::net::IpAddr;

use catalog::names;
use resource::{Desired, Place, Run};
use serde_json::{Value, json};
use spec::{Cni, Role};

use crate::builder::Builder;
use crate::ids::{self, output};
use crate::machine_config::{PROGRAMS, binaries};
use crate::{Machine, ModelError, Resolved};

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder) -> Result<(), ModelError> {
    let local = &resolved.ground.local;
    let mut network = json!({
        "bridge": local.bridge,
        "subnet": local.subnet,
        "gateway": local.gateway(),
        "lineage": resolved.lineage,
    });
    on_host(resolved, &mut network);
    if let (Some(resolver), true) = (&resolved.ground.loopback_resolver, resolved.resolvers() == [local.gateway()]) {
        network["resolver"] = json!(resolver);
    }
    builder.add(Desired::new(ids::network(resolved.name()), network));
    for machine in &resolved.machines {
        let id = ids::machine(resolved.name(), &machine.name);
        let desired = Desired::new(id, inputs(resolved, machine)?).at(place(resolved, machine));
        builder.add(desired.after(ids::network(resolved.name())));
    }
    Ok(())
}

/// The machine as a place of changes: control planes are away alone, workers as their groups allow it.
pub(crate) fn place(resolved: &Resolved, machine: &Machine) -> Place {
    let name = machine.name.clone();
    if machine.role == Role::ControlPlane {
        return Place { machine: name, budgets: BTreeMap::new(), ready: None };
    }
    let group = resolved.group_of(machine);
    let most = group.spec.rolling_update.max_unavailable.of(group.spec.count);
    let own_network = resolved.cluster.spec.networking.cni == Cni::None;
    let inputs = json!({"access": output(ids::cluster(resolved.name()), "access"), "ownNetwork": own_network});
    let ready = Some(Run { resource: ids::node_ready(&name), inputs });
    Place { machine: name, budgets: BTreeMap::from([(format!("group {}", group.metadata.name), most)]), ready }
}

/// Says on which host something is, where that is known.
fn on_host(resolved: &Resolved, inputs: &mut Value) {
    if let Some(host) = &resolved.ground.host {
        inputs["host"] = host.clone();
    }
}

fn inputs(resolved: &Resolved, machine: &Machine) -> Result<Value, ModelError> {
    let local = &resolved.ground.local;
    let size = &resolved.group_of(machine).spec.machine;
    let mut binds = Vec::new();
    for (asset, target) in binaries(machine.role) {
        binds.push(json!({"asset": resolved.asset(&asset)?, "target": target}));
    }
    // For people who look for a fault: no machine boots again for it.
    let (asset, target) = (resolved.asset(names::CRICTL)?, format!("{PROGRAMS}/{}", names::CRICTL));
    binds.push(json!({"asset": asset, "target": target, "nextBoot": true}));
    let mut inputs = json!({
        "hostname": machine.name,
        "network": resolved.name(),
        "bridge": local.bridge,
        "address": machine.address,
        "prefixLength": local.subnet.prefix_len(),
        "gateway": local.gateway(),
        "image": resolved.asset(names::ROOTFS)?,
        "imageStore": resolved.asset(names::IMAGE_STORE)?,
        "binds": binds,
        "hostKey": output(ids::ssh_key(&machine.name), "private"),
        "hostKeyPublic": output(ids::ssh_key(&machine.name), "public"),
        "authorizedKey": output(ids::ssh_key("operator"), "public"),
        "running": true,
        "lineage": resolved.lineage,
    });
    on_host(resolved, &mut inputs);
    // Machines have no addresses of IPv6.
    let resolvers: Vec<IpAddr> = resolved.resolvers().into_iter().filter(IpAddr::is_ipv4).collect();
    if !resolvers.is_empty() {
        inputs["resolvers"] = json!(resolvers);
    }
    if let Some(memory) = size.memory.as_deref().and_then(spec::bytes) {
        inputs["memory"] = memory.into();
    }
    if let Some(cpus) = size.cpus {
        inputs["milliCpus"] = (u64::from(cpus) * 1000).into();
    }
    Ok(inputs)
}
