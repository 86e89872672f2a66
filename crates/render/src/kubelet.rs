//! What kubelet reads: its configuration, flags, unit and drop-in, where kubeadm's package puts them.

mod configuration;
mod platform;
mod service;

pub use configuration::{KubeletConfiguration, config, config_map_text, config_value, instance_config, read};
pub use platform::NodePlatform;
pub use service::{KubeletFlags, KubeletUnit, args, drop_in, flags_env, unit};

/// The configuration.
pub const CONFIG_PATH: &str = "/var/lib/kubelet/config.yaml";
/// What kubeadm lays over the cluster's configuration on this machine.
pub const INSTANCE_CONFIG_PATH: &str = "/var/lib/kubelet/instance-config.yaml";
/// Flags of this machine.
pub const FLAGS_ENV_PATH: &str = "/var/lib/kubelet/kubeadm-flags.env";
/// Kubeconfig of kubelet.
pub const KUBECONFIG_PATH: &str = "/etc/kubernetes/kubelet.conf";
/// Kubeconfig with the token that kubelet trades for a certificate.
pub const BOOTSTRAP_KUBECONFIG_PATH: &str = "/etc/kubernetes/bootstrap-kubelet.conf";
/// containerd's socket.
pub const CONTAINERD_ENDPOINT: &str = "unix:///run/containerd/containerd.sock";
