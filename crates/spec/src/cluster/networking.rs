//! Address ranges, DNS and the pod network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ANOTHER_CLUSTER;
use crate::defaults;
use crate::format::{Cidr, Domain, IpAddress, Keyed, LinkName};

const NODES_KEEP_RANGES: &str = "A Node keeps the range of pod addresses that it was given: every Node would have to be deleted and \
                                 join anew; create another cluster and move the workloads";
const SERVICES_KEEP_ADDRESSES: &str = "The API server's certificate and every Service's address are from the old range: every Service \
                                       would have to be made anew; create another cluster and move the workloads";
const PODS_KNOW_THE_DOMAIN: &str = "Every kubelet, CoreDNS, the API server's certificate and every pod that runs know the old domain: all \
                                    pods would have to restart at once; create another cluster and move the workloads";
const PODS_ARE_IN_THE_NETWORK: &str = "Every pod on every machine is in the old network: taking it away cuts them all off, and a second \
                                       one beside it routes against it; create another cluster and move the workloads";

/// Address ranges, DNS and the pod network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Networking {
    /// Address ranges of pods; the first is the primary one, a second one of the other family makes it dual-stack.
    #[serde(rename = "podCIDRs", default = "defaults::pod_cidrs")]
    #[schemars(with = "Vec<Cidr>", length(min = 1, max = 2), extend("x-immutable" = NODES_KEEP_RANGES))]
    pub pod_cidrs: Vec<IpNet>,
    /// Address ranges of Services, in the order of `podCIDRs`. The first address is the API's, the tenth is DNS.
    #[serde(rename = "serviceCIDRs", default = "defaults::service_cidrs")]
    #[schemars(with = "Vec<Cidr>", length(min = 1, max = 2), extend("x-immutable" = SERVICES_KEEP_ADDRESSES))]
    pub service_cidrs: Vec<IpNet>,
    /// Domain of names inside the cluster.
    #[serde(default = "defaults::dns_domain")]
    #[schemars(with = "Domain", extend("x-immutable" = PODS_KNOW_THE_DOMAIN))]
    pub dns_domain: String,
    /// The pod network.
    #[serde(default)]
    #[schemars(extend("x-immutable" = PODS_ARE_IN_THE_NETWORK))]
    pub cni: Cni,
    /// Size of the part of the (IPv4) pod range that each node gets, as a prefix length: 24 is 254 addresses.
    #[serde(rename = "nodeCIDRMaskSize", default = "defaults::node_cidr_mask_size")]
    #[schemars(range(min = 16, max = 28), extend("x-immutable" = NODES_KEEP_RANGES))]
    pub node_cidr_mask_size: u8,
    /// flannel, where it is the pod network.
    #[serde(default)]
    pub flannel: Flannel,
    /// kube-proxy.
    #[serde(default)]
    pub kube_proxy: KubeProxy,
    /// DNS servers that CoreDNS and machines ask for names outside the cluster; those of the host where none is named.
    /// A host's resolver on 127.0.0.1 is asked through the machines' gateway.
    #[serde(default)]
    #[schemars(with = "Vec<IpAddress>")]
    pub upstream_resolvers: Vec<IpAddr>,
    /// DNS servers by domain, for names that only they know.
    #[serde(default)]
    #[schemars(with = "Keyed<Domain, Vec<IpAddress>>")]
    pub stub_domains: BTreeMap<String, Vec<IpAddr>>,
}

impl Default for Networking {
    fn default() -> Self {
        Self {
            pod_cidrs: defaults::pod_cidrs(),
            service_cidrs: defaults::service_cidrs(),
            dns_domain: defaults::dns_domain(),
            cni: Cni::default(),
            node_cidr_mask_size: defaults::node_cidr_mask_size(),
            flannel: Flannel::default(),
            kube_proxy: KubeProxy::default(),
            upstream_resolvers: Vec::new(),
            stub_domains: BTreeMap::new(),
        }
    }
}

/// The pod network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cni {
    /// flannel, over VXLAN or by routes (`flannel.backend`). It ignores NetworkPolicy.
    #[default]
    Flannel,
    /// None: nodes are not Ready until you install one.
    None,
}

/// flannel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flannel {
    /// How packets get to other machines.
    #[serde(default)]
    #[schemars(extend("x-immutable" = ANOTHER_CLUSTER))]
    pub backend: FlannelBackend,
    /// Largest packet of the pod network, in bytes. Left out, that of the machines' interface, less what the backend adds.
    /// Pods that run keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 576, max = 65535))]
    pub mtu: Option<u32>,
    /// The machines' interface to each other. Left out, the one with the address of the Node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LinkName")]
    pub interface: Option<String>,
}

/// How packets get to other machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FlannelBackend {
    /// In UDP, over any network.
    #[default]
    Vxlan,
    /// By routes, without an envelope: all machines must be in one network of layer 2.
    HostGateway,
}

/// kube-proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeProxy {
    /// Runs in the cluster. Switch it off for a pod network that does its work.
    #[serde(default = "defaults::runs")]
    pub enabled: bool,
    /// How Services are programmed into the kernel.
    #[serde(default)]
    pub mode: ProxyMode,
    /// Fields of `KubeProxyConfiguration` (`kubeproxy.config.k8s.io/v1alpha1`), merged deeply. Fields that kubewright sets
    /// itself are refused.
    #[serde(default)]
    pub config: Map<String, Value>,
}

impl Default for KubeProxy {
    fn default() -> Self {
        Self { enabled: defaults::runs(), mode: ProxyMode::default(), config: Map::new() }
    }
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
