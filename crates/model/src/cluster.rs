//! The Kubernetes API as a whole: it answers on every control plane.

use resource::Desired;
use serde_json::json;

use crate::Resolved;
use crate::builder::Builder;
use crate::ids::{self, output};

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) {
    let inputs = json!({
        "servers": resolved.servers(),
        "authority": output(ids::authority("kubernetes"), "certificate"),
        "certificate": output(ids::operator_certificate(), "certificate"),
        "key": output(ids::operator_certificate(), "key"),
    });
    let mut cluster = Desired::new(ids::cluster(resolved.name()), inputs);
    for machine in resolved.control_planes() {
        // While one is out of sight the others serve the same API. When versions can change (a rule refuses that now), what is in
        // the cluster must wait for all of them all the same: nothing there may be newer than an API server that still serves.
        cluster = cluster.after_if_seen(ids::machine_config(&machine.name));
    }
    builder.add(cluster);
}
