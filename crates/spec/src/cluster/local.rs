//! Settings of the provider `local`.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::provider::MachineRange;
use crate::format::Ipv4Cidr;

const ADDRESSES_ARE_FROM_IT: &str = "Machines, certificates and etcd's members have addresses from it: every machine would have to be \
                                     made anew; create another cluster on the new subnet";

/// Settings of the provider `local`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Local {
    /// The machines' network, a private /24. Left out, kubewright takes one that is free on this host and keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ipv4Cidr", extend("x-immutable" = ADDRESSES_ARE_FROM_IT, "x-derived" = "a free /24 of this host"))]
    pub subnet: Option<Ipv4Net>,
}

impl Local {
    pub(super) fn ranges(&self) -> Vec<MachineRange> {
        let range =
            |subnet: Ipv4Net| MachineRange { field: "spec.local.subnet", net: subnet.into(), is_made_here: true };
        self.subnet.map(range).into_iter().collect()
    }
}
