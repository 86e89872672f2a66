//! Machines as places of changes: what they count against while they are away.

use std::collections::BTreeMap;

use resource::{Place, Run};
use serde_json::json;
use spec::{Cni, Role};

use crate::ids::{self, output};
use crate::{Machine, Resolved};

/// The machine as a place of changes: control planes are away alone, workers as their groups allow it.
pub fn place(resolved: &Resolved, machine: &Machine) -> Place {
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
