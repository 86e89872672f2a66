//! Machines as places of changes: what they count against while they are away.

use std::collections::BTreeMap;

use resource::{Place, Run};
use serde_json::json;
use spec::{Cni, Role};

use crate::ids::{self, output};
use crate::{Machine, Resolved};

/// The machine as a place of changes: control planes are away alone, workers as their groups and the cluster allow it.
pub fn place(resolved: &Resolved, machine: &Machine) -> Place {
    let name = machine.name.clone();
    let zone = machine.zone.clone();
    if machine.role == Role::ControlPlane {
        return Place { machine: name, budgets: BTreeMap::new(), zone, ready: None };
    }
    let group = resolved.group_of(machine);
    let most = group.spec.rolling_update.max_unavailable.of(group.spec.count);
    let mut budgets = BTreeMap::from([(format!("group {}", group.metadata.name), most)]);
    if let Some(most) = &resolved.cluster.spec.rolling_update.max_unavailable {
        let workers = resolved.workers().count();
        budgets.insert("cluster".to_owned(), most.of(u32::try_from(workers).unwrap_or(u32::MAX)));
    }
    let own_network = resolved.cluster.spec.networking.cni == Cni::None;
    let inputs = json!({"access": output(ids::cluster(resolved.name()), "access"), "ownNetwork": own_network});
    let ready = Some(Run { resource: ids::node_ready(&name), inputs });
    Place { machine: name, budgets, zone, ready }
}
