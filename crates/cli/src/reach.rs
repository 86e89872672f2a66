//! How to reach a machine of a made cluster.

use engine::{HostTarget, ObserveContext as _, Output};
use model::{Machine, Resolved};
use reconcile::OpenCluster;
use serde_json::json;

use crate::error::CommandError;

/// The same with the addresses that machines got when they were made.
pub(crate) fn known(cluster: &OpenCluster, resolved: &Resolved) -> Resolved {
    resolved.clone().knowing(|address| match cluster.outputs.output(address) {
        Ok(Output::Public(value)) => value.as_str().map(str::to_owned),
        _ => None,
    })
}

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
