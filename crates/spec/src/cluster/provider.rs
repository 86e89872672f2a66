//! Who brings a cluster's machines, and the settings of those who do.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::Ipv4Cidr;

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

/// Settings of the provider `local`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Local {
    /// The machines' network, a private /24. Left out, kubewright takes one that is free on this host and keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ipv4Cidr", extend("x-immutable" = true, "x-derived" = "a free /24 of this host"))]
    pub subnet: Option<Ipv4Net>,
}
