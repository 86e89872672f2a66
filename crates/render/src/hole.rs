//! The fact holes that the agent fills on a machine, as they stand in texts (`machine::GroupConfig` documents them).

/// Name of the node.
pub const NODE_NAME: &str = "{{nodeName}}";
/// First address of the node.
pub const NODE_IP: &str = "{{nodeIP}}";
/// The resolv.conf that kubelet must use.
pub const RESOLV_CONF: &str = "{{resolvConf}}";
/// The cgroup driver that works on the machine.
pub const CGROUP_DRIVER: &str = "{{cgroupDriver}}";

/// Whether a text still waits for a fact of a machine.
pub fn is_in(text: &str) -> bool {
    text.contains("{{")
}
