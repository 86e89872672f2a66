//! Address ranges, DNS and the pod network.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;
use crate::format::{Cidr, Domain, IpAddress};

/// Address ranges, DNS and the pod network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Networking {
    /// Address ranges of pods; the first is the primary one, a second one of the other family makes it dual-stack.
    #[serde(rename = "podCIDRs", default = "defaults::pod_cidrs")]
    #[schemars(with = "Vec<Cidr>", length(min = 1, max = 2), extend("x-immutable" = true))]
    pub pod_cidrs: Vec<IpNet>,
    /// Address ranges of Services, in the order of `podCIDRs`. The first address is the API's, the tenth is DNS.
    #[serde(rename = "serviceCIDRs", default = "defaults::service_cidrs")]
    #[schemars(with = "Vec<Cidr>", length(min = 1, max = 2), extend("x-immutable" = true))]
    pub service_cidrs: Vec<IpNet>,
    /// Domain of names inside the cluster.
    #[serde(default = "defaults::dns_domain")]
    #[schemars(with = "Domain", extend("x-immutable" = true))]
    pub dns_domain: String,
    /// The pod network.
    #[serde(default)]
    #[schemars(extend("x-immutable" = true))]
    pub cni: Cni,
    /// Size of the part of the (IPv4) pod range that each node gets, as a prefix length: 24 is 254 addresses.
    #[serde(rename = "nodeCIDRMaskSize", default = "defaults::node_cidr_mask_size")]
    #[schemars(range(min = 16, max = 28), extend("x-immutable" = true))]
    pub node_cidr_mask_size: u8,
    /// kube-proxy.
    #[serde(default)]
    pub kube_proxy: KubeProxy,
    /// DNS servers that CoreDNS asks for names outside the cluster. Without any, such names are not resolved
    /// where the machine has no resolver of its own.
    #[serde(default)]
    #[schemars(with = "Vec<IpAddress>")]
    pub upstream_resolvers: Vec<IpAddr>,
}

impl Default for Networking {
    fn default() -> Self {
        Self {
            pod_cidrs: defaults::pod_cidrs(),
            service_cidrs: defaults::service_cidrs(),
            dns_domain: defaults::dns_domain(),
            cni: Cni::default(),
            node_cidr_mask_size: defaults::node_cidr_mask_size(),
            kube_proxy: KubeProxy::default(),
            upstream_resolvers: Vec::new(),
        }
    }
}

/// The pod network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cni {
    /// flannel with VXLAN. It ignores NetworkPolicy.
    #[default]
    Flannel,
    /// None: nodes are not Ready until you install one.
    None,
}

/// kube-proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeProxy {
    /// How Services are programmed into the kernel.
    #[serde(default)]
    pub mode: ProxyMode,
}

/// How Services are programmed into the kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProxyMode {
    /// nftables; needs Linux 5.13.
    #[default]
    Nftables,
    /// iptables, for older kernels.
    Iptables,
}
