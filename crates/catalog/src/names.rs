//! Names of assets that other crates refer to. Images: [`crate::Image::asset`].

/// The node agent.
pub const KUBELET: &str = "kubelet";
/// kubeadm, for those who want to go on without kubewright.
pub const KUBEADM: &str = "kubeadm";
/// The client.
pub const KUBECTL: &str = "kubectl";
/// The container runtime.
pub const CONTAINERD: &str = "containerd";
/// containerd's shim.
pub const CONTAINERD_SHIM: &str = "containerd-shim-runc-v2";
/// containerd's client.
pub const CTR: &str = "ctr";
/// The client of container runtimes.
pub const CRICTL: &str = "crictl";
/// etcd's client.
pub const ETCDCTL: &str = "etcdctl";
/// etcd's tool for data directories and snapshots.
pub const ETCDUTL: &str = "etcdutl";
/// All CNI plugins as one directory.
pub const CNI_PLUGINS: &str = "cni-plugins";
/// `kubewright-agent`.
pub const AGENT: &str = "kubewright-agent";
/// The root file system of local machines.
pub const ROOTFS: &str = "rootfs";
/// The containerd root with all images unpacked.
pub const IMAGE_STORE: &str = "image-store";

/// The CNI plugins of every cluster, by file name.
pub const CNI_PLUGIN_FILES: [&str; 18] = [
    "bandwidth",
    "bridge",
    "dhcp",
    "dummy",
    "firewall",
    "host-device",
    "host-local",
    "ipvlan",
    "loopback",
    "macvlan",
    "portmap",
    "ptp",
    "sbr",
    "static",
    "tap",
    "tuning",
    "vlan",
    "vrf",
];

/// The asset of one CNI plugin, such as `cni-bridge`.
pub fn cni_plugin(file: &str) -> String {
    format!("cni-{file}")
}
