//! What a provider brings for a cluster, as data: machines, how they are reached, and what they are like.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use resource::{Reference, ResourceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spec::Role;

/// What the machines of a cluster are, before anything of Kubernetes is on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Infrastructure {
    /// All machines, in the order of their groups.
    pub machines: Vec<Machine>,
    /// Groups whose machines come and go by themselves: these are none of `machines`.
    pub elastic: Vec<ElasticGroup>,
    /// What they have in common.
    pub platform: Platform,
    /// The networks that their addresses are in.
    pub networks: Vec<IpNet>,
    /// Name servers that they can ask for names outside the cluster.
    pub resolvers: Vec<IpAddr>,
    /// What was chosen where the Cluster document leaves it open, by JSON pointer: rules hold later documents against it.
    pub chosen: BTreeMap<String, Value>,
}

/// One machine of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Its name, which is its node's name too.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Index of its group among the cluster's.
    pub group: usize,
    /// The part of the infrastructure that fails as one and that it is in, where there are several.
    pub zone: Option<String>,
    /// Its address.
    pub address: Address,
    /// The resource that makes it.
    pub resource: ResourceId,
    /// How it is reached.
    pub access: Access,
}

/// A group whose machines come and go by themselves. They are observed as nodes of the group, and never planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElasticGroup {
    /// Index of the group among the cluster's.
    pub group: usize,
    /// The fewest machines that it has.
    pub min: u32,
    /// The most that it may have.
    pub max: u32,
    /// The resource that makes them.
    pub resource: ResourceId,
}

/// The address of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// It is known before the machine is made.
    Known(Ipv4Addr),
    /// Whoever makes the machine chooses it: a public output, the address as text.
    Output(Reference),
}

impl Address {
    /// The address, where it is known.
    pub fn known(&self) -> Option<Ipv4Addr> {
        match self {
            Self::Known(address) => Some(*address),
            Self::Output(_) => None,
        }
    }
}

/// How a machine is reached over SSH. Values are texts, or references to outputs of resources.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// Where it listens.
    pub address: Value,
    /// The port there.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// The public key that it must show.
    pub host_key: Value,
    /// The private key that logs in.
    pub private_key: Value,
}

/// Properties of machines that decide how Kubernetes is set up on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Who makes the control groups of pods. kubelet and containerd must agree.
    pub cgroup_driver: CgroupDriver,
    /// Machines have a kernel, and with it swap, disks and a table of connections, of their own.
    pub own_kernel: bool,
    /// How large the host is that machines share, which every kubelet on it takes for its own machine's size; `None` where they
    /// share none, or it is not known.
    pub shared_host: Option<Capacity>,
    /// Machines boot from kubewright's own image, whose image store has the images of the release.
    pub machine_image: bool,
}

impl Default for Platform {
    /// A machine of somebody's own.
    fn default() -> Self {
        Self { cgroup_driver: CgroupDriver::Systemd, own_kernel: true, shared_host: None, machine_image: false }
    }
}

/// Who makes the control groups of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupDriver {
    /// systemd, as kubeadm has it.
    Systemd,
    /// kubelet itself, where not all of the hierarchy is the machine's.
    Cgroupfs,
}

impl CgroupDriver {
    /// As kubelet's configuration spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Cgroupfs => "cgroupfs",
        }
    }
}

/// The size of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capacity {
    /// Memory in bytes.
    pub memory: u64,
    /// Processors.
    pub processors: u32,
}
