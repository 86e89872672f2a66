//! How to reach a machine of a made cluster.

use engine::HostTarget;
use model::{Machine, Resolved};
use reconcile::OpenCluster;
use serde_json::json;

use crate::error::CommandError;

/// The machine's address, login and pinned key.
pub(crate) fn target(
    cluster: &OpenCluster,
    resolved: &Resolved,
    machine: &Machine,
) -> Result<HostTarget, CommandError> {
    let inputs = json!({"target": model::target_inputs(machine)});
    hosts::target(&inputs, &*cluster.outputs).map_err(|error| {
        CommandError::from_source(&format!("{} cannot be reached", machine.name), &error)
            .hint(format!("if it has not been made yet: kubewright update cluster {} --yes", resolved.name()))
    })
}
