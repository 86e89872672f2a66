//! Feature gates, locked, unknown, gone and good ones; admission plugins.

use catalog::{Facts, Release};
use serde_json::{Value, json};

use super::super::case::Case;
use super::{Dice, flags};

/// Components with gates of their own, and their sections.
const COMPONENTS: [(&str, &str); 4] = [
    ("kube-apiserver", "kubeAPIServer/"),
    ("kube-controller-manager", "kubeControllerManager/"),
    ("kube-scheduler", "kubeScheduler/"),
    ("kubelet", "kubelet/"),
];
const LOCKED: usize = 3;
const FREE: usize = 6;

pub(super) fn cases(release: &Release, facts: &Facts, dice: &mut Dice) -> Vec<Case> {
    let mut cases = Vec::new();
    for (program, section) in COMPONENTS {
        let gates = &facts.component(program).expect("a component").gates;
        let field = |name: &str| format!("{section}featureGates/{name}");
        let named = |locked: bool| gates.iter().filter(|(_, gate)| gate.locked == locked).collect::<Vec<_>>();
        for (name, gate) in dice.some_of(named(true), LOCKED) {
            cases.push(Case::new(program, field(name), !gate.default));
            cases.push(Case::new(program, field(name), gate.default));
        }
        for (name, gate) in dice.some_of(named(false), FREE) {
            cases.push(Case::new(program, field(name), !gate.default));
        }
        let known: Vec<&str> = gates.keys().map(String::as_str).collect();
        cases.push(Case::new(program, field(&flags::slip(dice.one_of(&known), dice)), true));
        for name in gone(release, dice) {
            cases.push(Case::new(program, field(name), true));
        }
    }
    // kube-proxy has the cluster's gates only.
    for (name, on) in [("ContextualLogging", true), ("DynamicKubeletConfig", true), ("NFTablesProxyMode", false)] {
        cases.push(Case::new("kube-proxy", format!("featureGates/{name}"), on));
    }
    // Gates that others, and what kubewright itself writes, rest on.
    for (program, field) in [
        ("kubelet", "featureGates/RotateKubeletServerCertificate"),
        ("kubelet", "kubelet/featureGates/RotateKubeletServerCertificate"),
        ("kubelet", "kubelet/featureGates/AllBeta"),
        ("kubelet", "kubelet/featureGates/GracefulNodeShutdown"),
        ("kubelet", "kubelet/featureGates/GracefulNodeShutdownBasedOnPodPriority"),
        ("kube-proxy", "featureGates/GracefulNodeShutdown"),
        ("kube-proxy", "featureGates/APIServerIdentity"),
        ("kube-apiserver", "kubeAPIServer/featureGates/APIServerIdentity"),
    ] {
        cases.push(Case::new(program, field, false));
    }
    let both = ["GracefulNodeShutdown", "GracefulNodeShutdownBasedOnPodPriority"];
    let [shutdown, by_priority] = both.map(|gate| format!("kubelet/featureGates/{gate}"));
    let windows = "kubelet/featureGates/WindowsGracefulNodeShutdown";
    let off = || Case::new("kubelet", shutdown.clone(), false).and(by_priority.clone(), false).and(windows, false);
    cases.extend([
        off(),
        off().and("kubelet/shutdownGracePeriod", "30s"),
        off().and("kubelet/shutdownGracePeriod", "0s"),
    ]);
    for value in [
        "CompactHashCheck=true",
        "CompactHashCheck=T",
        "CompactHashCheck=yes",
        "NoSuchGate=true",
        "",
        "CompactHashCheck",
    ] {
        cases.push(Case::new("etcd", "etcd/extraArgs/feature-gates", value));
    }
    cases.extend(plugins(facts, dice));
    cases
}

fn gone(release: &Release, dice: &mut Dice) -> Vec<&'static str> {
    let past = catalog::past().gates.iter().filter(|(_, minor)| **minor <= release.minor);
    dice.some_of(past.map(|(name, _)| name.as_str()).collect(), 2)
}

fn plugins(facts: &Facts, dice: &mut Dice) -> Vec<Case> {
    let known = &facts.component("kube-apiserver").expect("a component").admission_plugins;
    let case =
        |list: &str, names: Value| Case::new("kube-apiserver", format!("kubeAPIServer/admissionPlugins/{list}"), names);
    let mut cases = Vec::new();
    for name in &known.off {
        cases.push(case("enable", json!([name])));
    }
    let optional = known.on.iter().filter(|name| *name != "NodeRestriction").cloned().collect();
    for name in dice.some_of(optional, 4) {
        cases.push(case("disable", json!([name])));
    }
    for name in ["PodSecurityPolicy", "AlwaysPullImage", "SecurityContextDeny", "podnodeselector"] {
        cases.push(case("enable", json!([name])));
        cases.push(case("disable", json!([name])));
    }
    cases.push(case("enable", json!(["AlwaysAdmit", "AlwaysAdmit"])));
    cases.push(
        case("enable", json!(["AlwaysAdmit"])).and("kubeAPIServer/admissionPlugins/disable", json!(["AlwaysAdmit"])),
    );
    cases
}
