//! The document that says everything a machine must be: a shared group config and a small machine part.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything a machine must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachineConfig {
    /// Rendered once per group; names no machine.
    pub group: GroupConfig,
    /// What only this machine has.
    pub machine: MachinePart,
}

/// The part of a config that all machines of a group share.
///
/// Inline texts may contain the holes that [`crate::holes::NAMES`] lists, such as `{{nodeName}}`, which the agent fills. Sections are made to hold in the order in which they stand here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupConfig {
    /// Packages of the operating system that must be installed.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Kernel modules that must be loaded, now and at boot.
    #[serde(default)]
    pub kernel_modules: Vec<String>,
    /// Sysctls by dotted name, now and at boot.
    #[serde(default)]
    pub sysctls: BTreeMap<String, String>,
    /// Swap must be off.
    #[serde(default)]
    pub swap_off: bool,
    /// Directories by absolute path.
    #[serde(default)]
    pub directories: BTreeMap<String, Directory>,
    /// Files by absolute path.
    #[serde(default)]
    pub files: BTreeMap<String, File>,
    /// Units of systemd by full name (`kubelet.service`); their files stand in `files`.
    #[serde(default)]
    pub units: BTreeMap<String, Unit>,
    /// What must be true at the end of an apply, in this order.
    #[serde(default)]
    pub gates: Vec<Gate>,
}

/// The part of a config that belongs to one machine: its facts, files (certificates, kubeconfigs) and extra gates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachinePart {
    /// Node name; the machine's host name is set to it.
    pub node_name: String,
    /// Addresses of the node, the primary one first.
    pub node_ips: Vec<String>,
    /// Files only this machine has. Same rules as in the group part.
    #[serde(default)]
    pub files: BTreeMap<String, File>,
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Directory {
    /// Permission bits, octal text such as `0755`.
    pub mode: String,
}

/// A file, owned by root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct File {
    /// What is in it.
    pub content: Content,
    /// Permission bits, octal text such as `0600`.
    pub mode: String,
    /// When it is written relative to other files.
    #[serde(default)]
    pub stage: Stage,
    /// Written only where there is none; never compared afterwards (kubelet rotates its certificate).
    #[serde(default)]
    pub create_only: bool,
    /// Units, and static pods by name, to restart when its content changes.
    #[serde(default)]
    pub restarts: Vec<String>,
}

/// What is in a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Content {
    /// A text with holes.
    Text(String),
    /// Secret bytes in base64, without holes. Never kept in the ledger, logged or reported, only its keyed digest.
    Secret(String),
    /// Put there from outside (bound read-only by the provider); checked to exist, never written.
    Provided {
        /// Name and recipe digest of the asset, for messages.
        asset: String,
    },
    /// A file uploaded beside the agent, moved into place after its digest was checked.
    Uploaded {
        /// Name and recipe digest of the asset.
        asset: String,
        /// Where the upload is.
        path: String,
        /// SHA-256, hex.
        sha256: String,
    },
}

// By hand: a secret must not reach a log through `{:?}`.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Secret(_) => f.write_str("Secret([redacted])"),
            Self::Provided { asset } => f.debug_struct("Provided").field("asset", asset).finish(),
            Self::Uploaded { asset, path, sha256 } => {
                f.debug_struct("Uploaded").field("asset", asset).field("path", path).field("sha256", sha256).finish()
            }
        }
    }
}

/// When a file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Before units start.
    #[default]
    Base,
    /// After all other files: static pod manifests, whose hostPath mounts would make empty files of what is missing.
    Manifest,
}

/// A unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unit {
    /// Starts at boot.
    pub enabled: bool,
    /// When it must be running.
    pub start: Start,
    /// Units after which it is started in an apply, such as `containerd.service`.
    #[serde(default)]
    pub after: Vec<String>,
    /// Files that it reads reach it by a reload, without a restart; those of the unit itself do not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reloads: bool,
}

/// When a unit must be running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Start {
    /// Always.
    Always,
    /// As soon as one of these files exists (a kubelet without credentials is not started).
    OnceAnyExists(Vec<String>),
    /// It must not run.
    Never,
}

/// A condition that an apply waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gate", rename_all = "camelCase")]
pub enum Gate {
    /// A plain HTTP GET answers 200. For loopback health endpoints.
    #[serde(rename_all = "camelCase")]
    Http {
        /// Name for messages, such as `kubelet healthz`.
        name: String,
        /// `host:port`.
        address: String,
        /// Path, such as `/healthz`.
        path: String,
        /// Seconds until it counts as failed.
        timeout_seconds: u64,
    },
    /// A file exists.
    #[serde(rename_all = "camelCase")]
    File {
        /// Its path.
        path: String,
        /// Seconds until it counts as failed.
        timeout_seconds: u64,
    },
    /// A TCP port accepts connections.
    #[serde(rename_all = "camelCase")]
    Tcp {
        /// Name for messages.
        name: String,
        /// `host:port`.
        address: String,
        /// Seconds until it counts as failed.
        timeout_seconds: u64,
    },
    /// A DNS server answers an A query.
    #[serde(rename_all = "camelCase")]
    Dns {
        /// Address of the server, port 53.
        server: String,
        /// Name asked for.
        name: String,
        /// Seconds until it counts as failed.
        timeout_seconds: u64,
    },
    /// etcd has exactly these members: each started, none a learner, all of them well.
    #[serde(rename_all = "camelCase")]
    EtcdMembers {
        /// Their names.
        names: Vec<String>,
        /// Seconds until it counts as failed.
        timeout_seconds: u64,
    },
}
