//! The units that keep etcd from being born twice: nothing in them varies.

/// Name of the service that looks before kubelet starts.
pub const SERVICE: &str = "kubewright-guard.service";
/// Name of the unit that notices when a member is born.
pub const PATH: &str = "kubewright-guard.path";

/// Text of the service.
pub fn service() -> &'static str {
    include_str!("../../../templates/systemd/kubewright-guard.service")
}

/// Text of the path unit.
pub fn path() -> &'static str {
    include_str!("../../../templates/systemd/kubewright-guard.path")
}
