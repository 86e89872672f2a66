//! The ground that a cluster stands on.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::Ipv4Cidr;

/// The ground that a cluster stands on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    /// Machines on this host, made by kubewright.
    #[default]
    Local,
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
