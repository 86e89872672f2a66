//! Workers get their first client certificate by a token that lives for one action.

use resource::Desired;
use serde_json::json;

use crate::builder::Builder;
use crate::ids::{self, output};
use crate::machine_config::{kubelet_conf, target};
use crate::{ModelError, Resolved, in_cluster, place};

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) -> Result<(), ModelError> {
    for machine in resolved.workers() {
        let inputs = json!({
            "target": target(machine),
            "access": output(ids::cluster(resolved.name()), "access"),
            "node": machine.name,
            "clusterName": resolved.name(),
            "server": resolved.node_server(),
            "authority": output(ids::authority("kubernetes"), "certificate"),
            "kubeletConf": kubelet_conf(resolved, machine)?,
        });
        let mut bootstrap = Desired::new(ids::node_bootstrap(&machine.name), inputs)
            .at(place(resolved, machine))
            .contained_in(machine.resource.clone())
            .after(ids::machine_config(&machine.name));
        // A kubelet that asks before it may is told to wait for up to 30 s.
        for object in in_cluster::bootstrap_rbac() {
            bootstrap = bootstrap.after(object);
        }
        builder.add(bootstrap);
    }
    Ok(())
}
