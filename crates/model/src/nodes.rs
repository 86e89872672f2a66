//! Node objects: labels, taints and kubelets' serving certificates.

use std::collections::BTreeMap;

use resource::Desired;
use serde_json::{Value, json};
use spec::Role;

use crate::builder::Builder;
use crate::ids::{self, output};
use crate::{Machine, Resolved};

/// Which group a node belongs to.
pub(crate) const GROUP_LABEL: &str = "kubewright.io/instance-group";

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) {
    let access = output(ids::cluster(resolved.name()), "access");
    for machine in &resolved.machines {
        let inputs = json!({
            "access": access,
            "labels": labels(resolved, machine),
            "taints": taints(resolved, machine),
            "annotations": resolved.group_of(machine).spec.annotations,
        });
        let joined = match machine.role {
            Role::ControlPlane => ids::machine_config(&machine.name),
            Role::Worker => ids::node_bootstrap(&machine.name),
        };
        let cluster = ids::cluster(resolved.name());
        builder.add(Desired::new(ids::node(&machine.name), inputs).contained_in(cluster.clone()).after(joined.clone()));
        let serving = json!({
            "access": access,
            "node": machine.name,
            "addresses": [resolved.address(machine)],
            "dnsNames": [machine.name],
        });
        builder.add(Desired::new(ids::serving_certificate(&machine.name), serving).contained_in(cluster).after(joined));
    }
}

fn labels(resolved: &Resolved, machine: &Machine) -> BTreeMap<String, String> {
    let group = resolved.group_of(machine);
    let role = match machine.role {
        Role::ControlPlane => "control-plane",
        Role::Worker => "worker",
    };
    let mut labels = BTreeMap::from([
        (format!("node-role.kubernetes.io/{role}"), String::new()),
        (GROUP_LABEL.to_owned(), group.metadata.name.clone()),
    ]);
    if machine.role == Role::ControlPlane {
        // kubeadm's: cloud load balancers leave control planes out.
        labels.insert("node.kubernetes.io/exclude-from-external-load-balancers".to_owned(), String::new());
    }
    labels.extend(group.spec.labels.clone());
    labels
}

/// The group's taints. Those that keep pods off control planes are a default of the documents.
fn taints(resolved: &Resolved, machine: &Machine) -> Vec<Value> {
    let taints = &resolved.group_of(machine).spec.taints;
    taints.iter().map(|taint| json!({"key": taint.key, "value": taint.value, "effect": taint.effect})).collect()
}
