//! Every default value of the documents, with the reason where it isn't upstream's own.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

fn ipv4(address: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from(address), prefix))
}

/// flannel's own range, the one in every tutorial.
pub(crate) fn pod_cidrs() -> Vec<IpNet> {
    vec![ipv4([10, 244, 0, 0], 16)]
}

/// kubeadm's.
pub(crate) fn service_cidrs() -> Vec<IpNet> {
    vec![ipv4([10, 96, 0, 0], 12)]
}

/// kubeadm's.
pub(crate) fn dns_domain() -> String {
    "cluster.local".to_owned()
}

/// kube-controller-manager's.
pub(crate) fn node_cidr_mask_size() -> u8 {
    24
}

/// kubeadm's.
pub(crate) fn api_port() -> u16 {
    6443
}

/// Not 6443, which the API server itself has on control planes.
pub(crate) fn load_balancer_port() -> u16 {
    7443
}

/// kube-apiserver's.
pub(crate) fn service_node_port_range() -> String {
    "30000-32767".to_owned()
}

/// A month of audit log, as the upstream documentation's example.
pub(crate) fn audit_max_age() -> u32 {
    30
}

/// Ten rotated files.
pub(crate) fn audit_max_backups() -> u32 {
    10
}

/// A hundred megabytes a file: with ten backups the log stays at about 1 GB.
pub(crate) fn audit_max_size() -> u32 {
    100
}

/// kubeadm's: ten years.
pub(crate) fn ca_validity_days() -> u32 {
    3650
}

/// kubeadm's: one year.
pub(crate) fn certificate_validity_days() -> u32 {
    365
}

/// Leaves three months for an update to come by.
pub(crate) fn renew_before_days() -> u32 {
    90
}

/// All sources that need no setting.
pub(crate) fn asset_sources() -> Vec<String> {
    vec!["auto".to_owned()]
}

/// Readable by all, written by root.
pub(crate) fn file_mode() -> String {
    "0644".to_owned()
}

/// One machine.
pub(crate) fn count() -> u32 {
    1
}

/// Five minutes: kubectl would wait forever, and a run must end.
pub(crate) fn drain_timeout() -> u32 {
    300
}

/// What an ordinary cluster has runs. Without a default StorageClass, claims of ordinary charts stay pending; without
/// kube-proxy, Services lead nowhere.
pub(crate) fn runs() -> bool {
    true
}
