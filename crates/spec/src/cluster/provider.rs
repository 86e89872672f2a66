//! Who brings a cluster's machines, and what is asked of those who do. The settings of each have a file of their own.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ClusterSpec;

/// Who brings a cluster's machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    /// Machines on this host, made by kubewright.
    #[default]
    Local,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Local];

    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
        }
    }

    /// What its machines are like.
    pub fn machines(self) -> MachineProperties {
        match self {
            Self::Local => MachineProperties { own_kernel: false, ipv6: false },
        }
    }
}

/// What decides whether documents fit the machines that a provider brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineProperties {
    /// They have a kernel, and with it disks, of their own.
    pub own_kernel: bool,
    /// They have addresses of IPv6.
    pub ipv6: bool,
}

/// Addresses that a provider's settings ask for, for machines.
pub(crate) struct MachineRange {
    /// The field that asks for them.
    pub(crate) field: &'static str,
    /// The addresses.
    pub(crate) net: IpNet,
    /// The provider makes a network of them on this host, which must not have a route to them already.
    pub(crate) is_made_here: bool,
}

impl ClusterSpec {
    /// The addresses that the settings of its provider ask for. Those that the provider chooses itself are not among them.
    pub(crate) fn machine_ranges(&self) -> Vec<MachineRange> {
        match self.provider {
            Provider::Local => self.local.ranges(),
        }
    }
}
