//! Rule: own settings of the kernel leave those of Kubernetes alone, and are such as machines have of their own.

use std::collections::BTreeMap;

use super::{Finding, World};
use crate::check::join;
use crate::effective::Draft;

mod local_ports;
#[cfg(test)]
mod tests;
mod values;

pub(super) use local_ports::writes_range;

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
    let own_kernel = cluster.value.spec.provider.machines().own_kernel;
    let mut findings = of(cluster, &cluster.value.spec.sysctls, own_kernel);
    findings.extend(local_ports::check(&cluster.value, cluster, &cluster.value.spec.sysctls));
    for group in world.groups() {
        findings.extend(of(group, &group.value.spec.sysctls, own_kernel));
        findings.extend(local_ports::check(&cluster.value, group, &group.value.spec.sysctls));
    }
    findings
}

/// Whether a setting is the kernel's, and not a network namespace's.
fn is_of_the_host(dotted: &str) -> bool {
    !dotted.starts_with("net.") || OF_THE_HOST.iter().any(|beginning| dotted.starts_with(beginning))
}

fn of<T>(draft: &Draft<T>, sysctls: &BTreeMap<String, String>, own_kernel: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in sysctls {
        let dotted = dotted(name);
        let (message, help) = if OURS.contains(&dotted.as_str()) || stops_forwarding(&dotted, value) {
            (format!("`{name}` is set by kubewright: Kubernetes needs it"), "remove it".to_owned())
        } else if !own_kernel && is_of_the_host(&dotted) {
            let help =
                "set it on the host; machines have settings of their own below `net.` only, and not all of those";
            (format!("`{name}` is the host's, whose kernel local machines share"), help.to_owned())
        } else if let Some((why, help)) = values::wrong(&dotted, value) {
            (format!("the value `{value}` of `{name}` {why}"), help)
        } else {
            continue;
        };
        findings.push(Finding::error("spec::sysctl", message).at(draft, join("spec.sysctls", name)).help(help));
    }
    findings
}

/// The kernel takes both separators.
fn dotted(name: &str) -> String {
    name.replace('/', ".")
}

/// The kernel forwards packets where `net.ipv4.ip_forward` says so, and that is another name of what stands here for `all`
/// interfaces: writing one changes the other. `default` is what the interfaces of new pods begin with.
fn stops_forwarding(dotted: &str, value: &str) -> bool {
    let interface = dotted.strip_prefix("net.ipv4.conf.").and_then(|rest| rest.strip_suffix(".forwarding"));
    match interface {
        // Any number but 0 forwards, but every update would find another one than it has set.
        Some("all") => values::numbers(value).is_some_and(|numbers| numbers != [1]),
        Some("lo") | None => false,
        Some(_) => values::numbers(value).is_some_and(|numbers| numbers == [0]),
    }
}
