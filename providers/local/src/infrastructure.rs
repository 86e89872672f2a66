//! The machines of documents, and what machines on this host are like. Pure.

use std::collections::BTreeMap;

use model::resolved::machine_names;
use model::{Access, Address, CgroupDriver, Infrastructure, Machine, Platform, ids as model_ids};
use provider::{ErrorKind, ProviderError};
use serde_json::json;
use spec::{Effective, InstanceGroup};

use crate::{LocalFacts, ids};

/// Where a chosen subnet stands in the Cluster document.
const SUBNET: &str = "/spec/local/subnet";

/// All machines, on what was allocated for them.
pub(crate) fn infrastructure(documents: &Effective, facts: &LocalFacts) -> Result<Infrastructure, ProviderError> {
    let cluster = &documents.cluster;
    let mut machines = Vec::new();
    for (index, group) in documents.groups.iter().enumerate() {
        for name in machine_names(group) {
            machines.push(machine(&cluster.metadata.name, name, (index, group), facts)?);
        }
    }
    let is_chosen = cluster.spec.local.subnet.is_none();
    let chosen = is_chosen.then(|| (SUBNET.to_owned(), json!(facts.subnet)));
    Ok(Infrastructure {
        machines,
        elastic: Vec::new(),
        platform: platform(facts),
        networks: vec![facts.subnet.into()],
        resolvers: facts.reachable_resolvers(),
        chosen: BTreeMap::from_iter(chosen),
    })
}

/// Machines are containers: what the kernel has is their host's.
fn platform(facts: &LocalFacts) -> Platform {
    Platform {
        // In a container, systemd's own part of the hierarchy is not all of it.
        cgroup_driver: CgroupDriver::Cgroupfs,
        own_kernel: false,
        shared_host: facts.capacity,
        machine_image: true,
    }
}

fn machine(
    cluster: &str,
    name: String,
    (index, group): (usize, &InstanceGroup),
    facts: &LocalFacts,
) -> Result<Machine, ProviderError> {
    let resource = ids::machine(cluster, &name);
    let address = facts.addresses.get(&name).copied();
    let address =
        address.ok_or_else(|| ProviderError::new(ErrorKind::Bug, format!("machine {name} has no address")))?;
    let access = Access {
        address: model_ids::output(resource.clone(), "address").to_value(),
        port: 22,
        user: "root".to_owned(),
        host_key: model_ids::output(resource.clone(), "hostKey").to_value(),
        private_key: model_ids::output(model_ids::ssh_key("operator"), "private").to_value(),
    };
    Ok(Machine {
        name,
        role: group.spec.role,
        group: index,
        zone: None,
        address: Address::Known(address),
        resource,
        access,
    })
}
