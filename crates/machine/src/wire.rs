//! What is said between the operator's side and the agent: one request on stdin, JSON lines back after a hello line.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{Gate, MachineConfig};

/// Version of the protocol; both sides must speak the same.
pub const PROTOCOL: u32 = 1;

/// The first line the agent prints. Whatever stands before it (login banners) is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// Version of the protocol; the field's name makes the line recognisable.
    pub kubewright_agent: u32,
}

/// What the agent is asked to do.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "camelCase")]
pub enum Request {
    /// Say what the machine is.
    Facts,
    /// Compare the machine with a config, without changing anything.
    #[serde(rename_all = "camelCase")]
    Observe {
        /// The config.
        config: Box<MachineConfig>,
        /// Key for digests of secrets, hex.
        digest_key: String,
        /// Hash large files again instead of trusting inode and mtime.
        deep: bool,
        /// Paths whose existence is to be reported.
        probe: Vec<String>,
    },
    /// Make the machine so.
    #[serde(rename_all = "camelCase")]
    Apply {
        /// The config.
        config: Box<MachineConfig>,
        /// Key for digests of secrets, hex.
        digest_key: String,
        /// Epoch of the operator's lease; a lower one than seen before is refused.
        epoch: u64,
        /// Identity of the cluster (its lineage); a machine that belongs to another one is refused.
        lineage: String,
        /// The operator's records say that an etcd member lived on this machine: it is not born again, even where the
        /// ledger was lost together with the disk.
        #[serde(default)]
        etcd_recorded: bool,
    },
    /// Do some steps once.
    #[serde(rename_all = "camelCase")]
    Run {
        /// The steps, in this order.
        steps: Vec<Step>,
        /// Epoch of the operator's lease.
        epoch: u64,
    },
    /// Undo exactly what the ledger says the agent made.
    #[serde(rename_all = "camelCase")]
    Reset {
        /// Epoch of the operator's lease.
        epoch: u64,
    },
}

// By hand: the digest key must not reach a log through `{:?}`.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts => f.write_str("Facts"),
            Self::Observe { config, deep, probe, digest_key: _ } => f
                .debug_struct("Observe")
                .field("config", config)
                .field("deep", deep)
                .field("probe", probe)
                .finish_non_exhaustive(),
            Self::Apply { config, epoch, lineage, etcd_recorded, digest_key: _ } => f
                .debug_struct("Apply")
                .field("config", config)
                .field("epoch", epoch)
                .field("lineage", lineage)
                .field("etcd_recorded", etcd_recorded)
                .finish_non_exhaustive(),
            Self::Run { steps, epoch } => f.debug_struct("Run").field("steps", steps).field("epoch", epoch).finish(),
            Self::Reset { epoch } => f.debug_struct("Reset").field("epoch", epoch).finish(),
        }
    }
}

/// One step of a [`Request::Run`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase")]
pub enum Step {
    /// Write a secret file.
    #[serde(rename_all = "camelCase")]
    WriteSecret {
        /// Its path.
        path: String,
        /// Its content, base64.
        content: String,
        /// Permission bits, octal text.
        mode: String,
    },
    /// Remove a file if it is there.
    #[serde(rename_all = "camelCase")]
    Remove {
        /// Its path.
        path: String,
    },
    /// Start a unit.
    #[serde(rename_all = "camelCase")]
    Start {
        /// Its name.
        unit: String,
    },
    /// Stop a unit.
    #[serde(rename_all = "camelCase")]
    Stop {
        /// Its name.
        unit: String,
    },
    /// Wait for a gate.
    #[serde(rename_all = "camelCase")]
    Wait {
        /// The gate.
        gate: Gate,
    },
    /// Forget that an etcd member ever existed here, so that an apply may start a new one on an empty directory.
    ForgetEtcdData,
}

// By hand: a secret must not reach a log through `{:?}`.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriteSecret { path, mode, content: _ } => {
                f.debug_struct("WriteSecret").field("path", path).field("mode", mode).finish_non_exhaustive()
            }
            Self::Remove { path } => f.debug_struct("Remove").field("path", path).finish(),
            Self::Start { unit } => f.debug_struct("Start").field("unit", unit).finish(),
            Self::Stop { unit } => f.debug_struct("Stop").field("unit", unit).finish(),
            Self::Wait { gate } => f.debug_struct("Wait").field("gate", gate).finish(),
            Self::ForgetEtcdData => f.write_str("ForgetEtcdData"),
        }
    }
}

/// What is known about a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Host name.
    pub hostname: String,
    /// `ID` of os-release, such as `debian`.
    pub os: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// Kernel release.
    pub kernel: String,
    /// Go's name of the architecture: `amd64`, `arm64`.
    pub arch: String,
    /// 1 or 2.
    pub cgroup_version: u32,
    /// `cgroupfs` or `systemd`: the driver that works here.
    pub cgroup_driver: String,
    /// The resolv.conf that kubelet must use.
    pub resolv_conf: String,
    /// Cores.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Whether swap is on.
    pub swap: bool,
    /// The certificates that kubelet got from the cluster and renews by itself.
    #[serde(default)]
    pub kubelet_certificates: Vec<KubeletCertificate>,
}

/// A certificate of a kubelet's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletCertificate {
    /// What it is for: `client` or `serving`.
    pub purpose: String,
    /// From when it holds, in seconds since 1970.
    pub begins: i64,
    /// When it ends, in seconds since 1970.
    pub ends: i64,
}

/// How one item of the config was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum ItemState {
    /// As the config says.
    Same,
    /// Not there.
    Missing,
    /// There, but different.
    #[serde(rename_all = "camelCase")]
    Differs {
        /// What it is instead, by field; contents as `sha256:…`, secret ones as `hmac:…`.
        ///
        /// Files and directories: `content`, `text` (what stands there, where a text that is no secret must), `mode`,
        /// `owner`, `type` (something else stands there). Units: `enabled`,
        /// `running`. Modules, sysctls, swap and the host name: `value` (now) and `boot` (what the next boot brings).
        fields: BTreeMap<String, String>,
    },
    /// Could not be looked at.
    #[serde(rename_all = "camelCase")]
    Unknown {
        /// Why.
        why: String,
    },
}

/// A line the agent prints after its hello.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "camelCase")]
pub enum Reply {
    /// What it is doing, as a fragment.
    #[serde(rename_all = "camelCase")]
    Progress {
        /// The fragment.
        note: String,
    },
    /// The machine's facts.
    #[serde(rename_all = "camelCase")]
    Facts {
        /// The facts.
        facts: Facts,
    },
    /// How the items of a config were found.
    #[serde(rename_all = "camelCase")]
    Observed {
        /// State by item: `package/NAME`, `module/NAME`, `sysctl/NAME`, `swap`, `hostname`, `directory/PATH`,
        /// `file/PATH`, `unit/NAME`.
        items: BTreeMap<String, ItemState>,
        /// Which probed paths exist.
        exists: Vec<String>,
        /// The facts that filled the holes.
        facts: Facts,
        /// Whether the machine's member of etcd serves, for which there must be a quorum; absent where it has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member_serves: Option<bool>,
    },
    /// An item was changed.
    #[serde(rename_all = "camelCase")]
    Changed {
        /// The item, named as in `Observed`.
        item: String,
        /// What was done, such as `written`, `restarted`.
        done: String,
    },
    /// Everything holds.
    #[serde(rename_all = "camelCase")]
    Done {
        /// How many items were changed.
        changed: usize,
    },
    /// It did not work.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// The item or gate.
        item: String,
        /// Why.
        why: String,
        /// What to do about it.
        hint: Option<String>,
        /// The last lines of a program's output or journal.
        output: Vec<String>,
    },
}
