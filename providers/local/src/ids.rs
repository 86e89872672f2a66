//! Ids of the resources that this provider makes.

use resource::ResourceId;

use crate::inputs::{MACHINE, NETWORK};

/// The network of a cluster's machines.
pub fn network(cluster: &str) -> ResourceId {
    ResourceId::new(NETWORK, cluster)
}

/// A machine.
pub fn machine(cluster: &str, name: &str) -> ResourceId {
    ResourceId::new(MACHINE, &format!("{cluster}/{name}"))
}
