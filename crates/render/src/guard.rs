//! The units that keep etcd from being born twice: nothing in them varies.

/// Name of the service that notes a birth.
pub const SERVICE: &str = "kubewright-guard.service";
/// Name of the unit that notices when a member is born.
pub const PATH: &str = "kubewright-guard.path";

/// Where kubelet's unit is told to ask the guard before it starts.
pub const DROP_IN: &str = "kubelet.service.d/20-kubewright-guard.conf";

/// Text of the drop-in.
pub fn drop_in() -> &'static str {
    include_str!("../../../templates/systemd/20-kubewright-guard.conf")
}

/// Text of the service.
pub fn service() -> &'static str {
    include_str!("../../../templates/systemd/kubewright-guard.service")
}

/// Text of the path unit.
pub fn path() -> &'static str {
    include_str!("../../../templates/systemd/kubewright-guard.path")
}
