//! Where to look when a kubelet does not do what it should.

/// The command that shows the end of a kubelet's journal, in backticks.
pub(crate) fn journal(cluster: &str, node: &str) -> String {
    format!("`kubewright ssh {cluster} {node} -- journalctl -u kubelet -n 50`")
}
