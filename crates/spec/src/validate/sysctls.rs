//! Rule: own settings of the kernel leave those of Kubernetes alone, and are such as machines have of their own.

use std::collections::BTreeMap;

use super::{Finding, World};
use crate::Provider;
use crate::check::join;
use crate::effective::Draft;

/// What Kubernetes needs, and kubewright sets.
const OURS: [&str; 3] =
    ["net.bridge.bridge-nf-call-ip6tables", "net.bridge.bridge-nf-call-iptables", "net.ipv4.ip_forward"];

/// Below `net.`, and the host's all the same: a network namespace does not have them, or can't change them (Linux 6.18).
const OF_THE_HOST: [&str; 24] = [
    "net.core.bpf_jit_",
    "net.core.busy_",
    "net.core.default_qdisc",
    "net.core.dev_weight",
    "net.core.devconf_inherit_init_net",
    "net.core.fb_tunnels_only_for_init_net",
    "net.core.flow_limit_",
    "net.core.gro_normal_batch",
    "net.core.high_order_alloc_disable",
    "net.core.max_skb_frags",
    "net.core.message_",
    "net.core.netdev_",
    "net.core.rps_sock_flow_entries",
    "net.core.skb_defer_max",
    "net.core.warnings",
    "net.ipv4.fib_sync_mem",
    "net.ipv4.inet_peer_",
    "net.ipv4.route.gc_",
    "net.ipv4.tcp_low_latency",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_mem",
    "net.ipv4.udp_mem",
    "net.netfilter.nf_conntrack_max",
    "net.nf_conntrack_max",
];

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let Provider::Local = cluster.value.spec.provider;
    let mut findings = of(cluster, &cluster.value.spec.sysctls);
    for group in world.groups() {
        findings.extend(of(group, &group.value.spec.sysctls));
    }
    findings
}

fn of<T>(draft: &Draft<T>, sysctls: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in sysctls.keys() {
        // The kernel takes both separators.
        let dotted = name.replace('/', ".");
        let (message, help) = if OURS.contains(&dotted.as_str()) {
            (format!("`{name}` is set by kubewright: Kubernetes needs it"), "remove it")
        } else if !dotted.starts_with("net.") || OF_THE_HOST.iter().any(|beginning| dotted.starts_with(beginning)) {
            let help =
                "set it on the host; machines have settings of their own below `net.` only, and not all of those";
            (format!("`{name}` is the host's, whose kernel local machines share"), help)
        } else {
            continue;
        };
        findings.push(Finding::error("spec::sysctl", message).at(draft, join("spec.sysctls", name)).help(help));
    }
    findings
}
