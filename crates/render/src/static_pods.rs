//! Static pod manifests of the control plane, in kubeadm's shape.
//!
//! Manifests are shared by a group of machines: what differs per machine stands in them as a [hole](crate::hole).

pub mod etcd;
pub mod kube_apiserver;
pub mod kube_controller_manager;
pub mod kube_scheduler;
mod pod;

use std::collections::BTreeMap;

use catalog::Edition;
use k8s_openapi::api::core::v1::Pod;

use crate::ExtraArgs;

/// Where kubelet looks for static pods.
pub const MANIFESTS_DIR: &str = "/etc/kubernetes/manifests";
/// Where certificates and keys are.
pub const PKI_DIR: &str = "/etc/kubernetes/pki";
/// Directories of CA certificates that kubeadm mounts into API server and controller manager where a host has them.
pub const CA_DIRECTORIES: [&str; 4] =
    ["/etc/ssl/certs", "/etc/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/ca-certificates"];

/// What can be said about every component of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Image with tag or digest.
    pub image: String,
    /// Flags that replace ours.
    pub extra_args: ExtraArgs,
    /// Feature gates by name.
    pub feature_gates: BTreeMap<String, bool>,
    /// Further mounts from the host.
    pub extra_volumes: Vec<HostMount>,
    /// Environment variables (proxies).
    pub extra_env: BTreeMap<String, String>,
    /// Annotations of the pod; a changed one restarts it (digest of a file that is only read at start).
    pub annotations: BTreeMap<String, String>,
    /// How soon and how often the pod's start is asked about.
    pub startup: StartupProbe,
    /// The way of making a cluster that holds.
    pub edition: Edition,
}

impl Component {
    /// A component with kubeadm's defaults.
    pub fn new(image: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            extra_args: ExtraArgs::new(),
            feature_gates: BTreeMap::new(),
            extra_volumes: Vec::new(),
            extra_env: BTreeMap::new(),
            annotations: BTreeMap::new(),
            startup: StartupProbe::default(),
            edition: Edition::NEWEST,
        }
    }
}

/// Where the containers of a pod see something of the host.
pub fn mount_paths(pod: &Pod) -> Vec<String> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mounts = containers.flat_map(|container| container.volume_mounts.iter().flatten());
    mounts.map(|mount| mount.mount_path.clone()).collect()
}

/// A file or directory of the host in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMount {
    /// Name of the volume.
    pub name: String,
    /// Path on the host.
    pub host_path: String,
    /// Path in the container.
    pub mount_path: String,
    /// The container can't write.
    pub read_only: bool,
    /// What must be there, or is made.
    pub path_type: PathType,
}

/// Type of a host path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PathType {
    /// Not checked.
    #[default]
    Unset,
    /// A directory, made if missing.
    DirectoryOrCreate,
    /// A directory that must be there.
    Directory,
    /// A file, made empty if missing.
    FileOrCreate,
    /// A file that must be there.
    File,
}

impl PathType {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::DirectoryOrCreate => "DirectoryOrCreate",
            Self::Directory => "Directory",
            Self::FileOrCreate => "FileOrCreate",
            Self::File => "File",
        }
    }
}

/// When kubelet asks whether a pod has started. The default is kubeadm's for the 4 minutes that it waits.
///
/// The pod is not Ready before the first answer, so a short delay shows a started control plane sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartupProbe {
    /// Seconds before the first question.
    pub initial_delay_seconds: i32,
    /// Seconds between questions.
    pub period_seconds: i32,
    /// How many failed answers restart the container.
    pub failure_threshold: i32,
}

impl Default for StartupProbe {
    fn default() -> Self {
        Self { initial_delay_seconds: 10, period_seconds: 10, failure_threshold: 24 }
    }
}

impl StartupProbe {
    /// Asks every second from the start, for the same 4 minutes.
    pub fn eager() -> Self {
        Self { initial_delay_seconds: 0, period_seconds: 1, failure_threshold: 240 }
    }
}
