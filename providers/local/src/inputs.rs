//! Typed inputs of the kinds `network` and `machine`, as they stand in resources.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::owner::HostIdentity;

/// Kind of a cluster's network.
pub const NETWORK: &str = "network";
/// Kind of a machine.
pub const MACHINE: &str = "machine";

/// Inputs of `network/<cluster>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkInputs {
    /// Name of the bridge, at most 15 characters; see [`crate::names::bridge_name`].
    pub bridge: String,
    /// Subnet of the machines.
    pub subnet: Ipv4Net,
    /// The host's address in the subnet.
    pub gateway: Ipv4Addr,
    /// Identity of the cluster's state: what is marked with another one is somebody else's. Release 0.1 had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lineage: String,
    /// The host that it is on. Release 0.1 did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostIdentity>,
    /// A resolver on the host's loopback, which machines ask at the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolver: Option<Ipv4Addr>,
}

/// An asset bound read-only into a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bind {
    /// `name@recipe-digest`.
    pub asset: String,
    /// Absolute path in the machine.
    pub target: String,
    /// Whether a machine that runs goes without a change of this one until it boots for another reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub next_boot: bool,
}

/// The binds in a machine's inputs for which a running machine boots again, in an order of their own.
pub(crate) fn pressing_binds(inputs: &Value) -> Vec<String> {
    let binds = inputs.get("binds").and_then(Value::as_array).into_iter().flatten();
    let pressing = binds.filter(|bind| bind.get("nextBoot") != Some(&Value::Bool(true)));
    let mut pressing: Vec<String> = pressing.map(Value::to_string).collect();
    pressing.sort();
    pressing
}

/// Inputs of `machine/<cluster>/<name>`.
///
/// `hostKey`, `hostKeyPublic` and `authorizedKey` are references in resources; plain texts are taken as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachineInputs {
    /// Host name.
    pub hostname: String,
    /// Name part of the network's id: the cluster.
    pub network: String,
    /// The network's bridge.
    pub bridge: String,
    /// Static address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix_length: u8,
    /// Default gateway.
    pub gateway: Ipv4Addr,
    /// Root file system, `name@recipe-digest`. Used once: a machine keeps the image it was made from.
    pub image: String,
    /// containerd root with images, `name@recipe-digest`; `null`: the machine starts without images. Used once.
    pub image_store: Option<String>,
    /// Assets bound read-only. A change restarts the machine.
    #[serde(default)]
    pub binds: Vec<Bind>,
    /// Private SSH host key, OpenSSH PEM.
    pub host_key: Value,
    /// Public SSH host key, one OpenSSH line.
    pub host_key_public: Value,
    /// Public key that may log in as root.
    pub authorized_key: Value,
    /// Identity of the cluster's state: a machine of another one is somebody else's. Release 0.1 had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lineage: String,
    /// The host that it is on. Release 0.1 did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostIdentity>,
    /// Always true in what documents ask for: a machine that does not run is observed as false, and an update starts it.
    #[serde(default = "yes")]
    pub running: bool,
    /// By whom and when it was stopped, for one that is not to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Value>,
    /// Resolvers of the machine; those of the host where there are none. A change reaches a running machine at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<Ipv4Addr>,
    /// Upper bound of memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Upper bound of processor time, thousandths of a processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milli_cpus: Option<u64>,
}

fn yes() -> bool {
    true
}
