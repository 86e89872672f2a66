//! The resources of a cluster on this host: its network and its machines. Pure.

use std::net::IpAddr;

use catalog::names;
use model::ids::{output, ssh_key};
use model::{Machine, ModelError, PROGRAMS, Resolved, place, programs};
use resource::Desired;
use serde_json::{Value, json};

use crate::{LocalFacts, ids};

/// Everything that is made on this host.
pub(crate) fn resources(resolved: &Resolved, facts: &LocalFacts) -> Result<Vec<Desired>, ModelError> {
    let mut network = network_inputs(&resolved.lineage, facts);
    if let (Some(resolver), true) = (&facts.loopback_resolver, resolved.resolvers() == [IpAddr::V4(facts.gateway())]) {
        network["resolver"] = json!(resolver);
    }
    let id = ids::network(resolved.name());
    let machine = |machine: &Machine| {
        let desired = Desired::new(machine.resource.clone(), machine_inputs(resolved, machine, facts)?);
        Ok(desired.at(place(resolved, machine)).after(id.clone()))
    };
    let network = Ok(Desired::new(id.clone(), network));
    std::iter::once(network).chain(resolved.machines.iter().map(machine)).collect()
}

/// Inputs of a cluster's network, without a resolver of its own.
pub(crate) fn network_inputs(lineage: &str, facts: &LocalFacts) -> Value {
    let mut inputs = json!({
        "bridge": facts.bridge,
        "subnet": facts.subnet,
        "gateway": facts.gateway(),
        "lineage": lineage,
    });
    on_host(facts, &mut inputs);
    inputs
}

/// Says on which host something is, where that is known.
fn on_host(facts: &LocalFacts, inputs: &mut Value) {
    if let Some(host) = &facts.host {
        inputs["host"] = json!(host);
    }
}

fn machine_inputs(resolved: &Resolved, machine: &Machine, facts: &LocalFacts) -> Result<Value, ModelError> {
    let size = &resolved.group_of(machine).spec.machine;
    let mut binds = Vec::new();
    for (asset, target) in programs(machine.role) {
        binds.push(json!({"asset": resolved.asset(&asset)?, "target": target}));
    }
    // For people who look for a fault: no machine boots again for it.
    let (asset, target) = (resolved.asset(names::CRICTL)?, format!("{PROGRAMS}/{}", names::CRICTL));
    binds.push(json!({"asset": asset, "target": target, "nextBoot": true}));
    let mut inputs = json!({
        "hostname": machine.name,
        "network": resolved.name(),
        "bridge": facts.bridge,
        "address": machine.address.known(),
        "prefixLength": facts.subnet.prefix_len(),
        "gateway": facts.gateway(),
        "image": resolved.asset(names::ROOTFS)?,
        "imageStore": resolved.asset(names::IMAGE_STORE)?,
        "binds": binds,
        "hostKey": output(ssh_key(&machine.name), "private"),
        "hostKeyPublic": output(ssh_key(&machine.name), "public"),
        "authorizedKey": output(ssh_key("operator"), "public"),
        "running": true,
        "lineage": resolved.lineage,
    });
    on_host(facts, &mut inputs);
    // Machines have no addresses of IPv6.
    let resolvers: Vec<&IpAddr> = resolved.resolvers().iter().filter(|address| address.is_ipv4()).collect();
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
