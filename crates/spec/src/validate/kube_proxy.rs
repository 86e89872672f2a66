//! Rule: kube-proxy's own settings leave alone what the cluster rests on, and somebody leads to Services.

use super::gates::is_on;
use super::{Finding, World};
use crate::check::join;
use crate::effective::Draft;
use crate::{Cluster, Cni, ProxyMode};

mod settings;

const PATH: &str = "spec.networking.kubeProxy";
/// Fields that kubewright sets, and what to use instead; empty where there is nothing to choose.
const MANAGED: [(&str, &str); 9] = [
    ("apiVersion", ""),
    ("bindAddress", ""),
    ("clientConnection", ""),
    ("clusterCIDR", "`spec.networking.podCIDRs`"),
    ("conntrack", ""),
    ("featureGates", "`spec.featureGates`"),
    ("hostnameOverride", ""),
    ("kind", ""),
    ("mode", "`spec.networking.kubeProxy.mode`"),
];

/// Whether kubewright sets a field itself.
pub(super) fn is_managed(name: &str) -> bool {
    MANAGED.iter().any(|(managed, _)| *managed == name)
}

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let networking = &cluster.value.spec.networking;
    let proxy = &networking.kube_proxy;
    let mut findings = Vec::new();
    for name in proxy.config.keys() {
        let Some((_, instead)) = MANAGED.iter().find(|(managed, _)| managed == name) else { continue };
        let help = if instead.is_empty() { "remove it".to_owned() } else { format!("use {instead}") };
        let message = format!("`{name}` of kube-proxy is set by kubewright");
        let finding = Finding::error("spec::managed-kube-proxy-field", message);
        findings.push(finding.at(cluster, join(&format!("{PATH}.config"), name)).help(help));
    }
    findings.extend(settings(cluster));
    let (_, other) = sections(proxy.mode);
    if proxy.config.contains_key(other) {
        let message = format!("kube-proxy does not look at `{other}` in the mode that it runs in");
        findings.push(
            Finding::warning("spec::kube-proxy", message)
                .at(cluster, format!("{PATH}.config.{other}"))
                .help(format!("remove it, or set `mode: {other}`")),
        );
    }
    if !proxy.enabled && networking.cni == Cni::Flannel {
        let message = "without kube-proxy nobody leads to Services, DNS among them: flannel does not";
        findings.push(
            Finding::warning("spec::kube-proxy", message)
                .at(cluster, format!("{PATH}.enabled"))
                .help("leave it on, or write `cni: none` and install a pod network that does its work"),
        );
    }
    findings
}

/// The section of a mode, and that of the other one.
fn sections(mode: ProxyMode) -> (&'static str, &'static str) {
    match mode {
        ProxyMode::Nftables => ("nftables", "iptables"),
        ProxyMode::Iptables => ("iptables", "nftables"),
    }
}

fn settings(cluster: &Draft<Cluster>) -> Vec<Finding> {
    let spec = &cluster.value.spec;
    let proxy = &spec.networking.kube_proxy;
    let minor = catalog::find(&spec.kubernetes_version).ok().map(|release| release.minor);
    let facts = minor.and_then(catalog::facts).and_then(|facts| facts.component("kube-proxy"));
    let gates = facts.map(|facts| &facts.gates);
    let settings = settings::Settings {
        config: &proxy.config,
        mode: sections(proxy.mode).0,
        minor,
        is_on: &|gate, default| {
            let facts = gates.and_then(|gates| gates.get(gate));
            is_on(|gate| spec.feature_gates.get(gate).copied(), (gate, facts.map(|facts| facts.stage)), default)
        },
    };
    let finding = |fault: settings::Fault| {
        let field = format!("{PATH}.config.{}", fault.field);
        Finding::error("spec::kube-proxy-setting", fault.message).at(cluster, field).help(fault.help)
    };
    settings::check(&settings).into_iter().map(finding).collect()
}
