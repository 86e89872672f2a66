//! How the Kubernetes API is reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;
use crate::format::{Host, SubjectAltName};

/// What the default of `loadBalancer` follows from.
const LOAD_BALANCER_RULE: &str = "`external` with an endpoint, else `nodeLocal` with several control-plane machines \
                                  and `none` with one";

/// How the Kubernetes API is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Api {
    /// Name or address of an endpoint in front of all control planes, without a port. Needed with
    /// `loadBalancer: external`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Host")]
    pub endpoint: Option<String>,
    /// Port of every API server, and of the endpoint.
    #[serde(default = "defaults::api_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Further names and addresses in the API server's certificate.
    #[serde(rename = "extraSANs", default)]
    #[schemars(with = "Vec<SubjectAltName>")]
    pub extra_sans: Vec<String>,
    /// What stands before the control planes.
    #[serde(default)]
    #[schemars(extend("x-derived" = LOAD_BALANCER_RULE))]
    pub load_balancer: LoadBalancer,
    /// Port of the node-local load balancer on 127.0.0.1 of every machine.
    #[serde(default = "defaults::load_balancer_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub load_balancer_port: u16,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            endpoint: None,
            port: defaults::api_port(),
            extra_sans: Vec::new(),
            load_balancer: LoadBalancer::default(),
            load_balancer_port: defaults::load_balancer_port(),
        }
    }
}

/// What stands before several control planes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LoadBalancer {
    /// Nothing: everyone talks to the one control plane.
    #[default]
    None,
    /// haproxy on every machine, for its own kubelet and kube-proxy.
    NodeLocal,
    /// A load balancer that you have, at `endpoint`.
    External,
}
