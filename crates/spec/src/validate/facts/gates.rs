//! Feature gates: the components know them, and let them have the value.

use std::collections::BTreeMap;

use catalog::{GateFacts, Stage};

use super::super::gates::{WIDE, is_on};
use super::super::{Finding, World};
use super::{Known, values};
use crate::check::join;
use crate::effective::Draft;
use crate::suggest;

type Gates = BTreeMap<String, bool>;

/// Components that are given the cluster's gates.
const EVERYONE: [&str; 5] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

/// Gates of one document, and where they stand.
struct Layer<'a> {
    document: usize,
    section: String,
    gates: &'a Gates,
}

impl<'a> Layer<'a> {
    fn of<T>(draft: &Draft<T>, section: impl Into<String>, gates: &'a Gates) -> Self {
        Self { document: draft.document, section: section.into(), gates }
    }
}

const KUBELET: &str = "spec.kubelet.featureGates";

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut kubelets = Vec::new();
    let mut lacking = Lacking::default();
    if let Some(cluster) = world.cluster() {
        let spec = &cluster.value.spec;
        let all = || Layer::of(cluster, "spec.featureGates", &spec.feature_gates);
        findings.extend(gates(cluster, "spec.featureGates", &spec.feature_gates, &EVERYONE, known));
        for (program, section, own) in [
            ("kube-apiserver", "kubeAPIServer", &spec.kube_api_server.feature_gates),
            ("kube-controller-manager", "kubeControllerManager", &spec.kube_controller_manager.feature_gates),
            ("kube-scheduler", "kubeScheduler", &spec.kube_scheduler.feature_gates),
            ("kubelet", "kubelet", &spec.kubelet.feature_gates),
        ] {
            let section = format!("spec.{section}.featureGates");
            findings.extend(gates(cluster, &section, own, &[program], known));
            // Where there are groups, each kubelet has the layer of one, too.
            if program != "kubelet" || world.groups().is_empty() {
                lacking.of(&[all(), Layer::of(cluster, section, own)], program, known);
            }
        }
        if spec.networking.kube_proxy.enabled {
            lacking.of(&[all()], "kube-proxy", known);
        }
        kubelets.extend([all(), Layer::of(cluster, KUBELET, &spec.kubelet.feature_gates)]);
    }
    for group in world.groups() {
        let own = &group.value.spec.kubelet.feature_gates;
        findings.extend(gates(group, KUBELET, own, &["kubelet"], known));
        kubelets.push(Layer::of(group, KUBELET, own));
        lacking.of(&kubelets, "kubelet", known);
        kubelets.pop();
    }
    findings.extend(lacking.findings());
    findings
}

fn gates<T>(
    draft: &Draft<T>,
    section: &str,
    gates: &BTreeMap<String, bool>,
    programs: &[&str],
    known: &Known,
) -> Vec<Finding> {
    gates.iter().filter_map(|(name, on)| gate(draft, join(section, name), (name, *on), programs, known)).collect()
}

fn gate<T>(
    draft: &Draft<T>,
    path: String,
    (name, on): (&str, bool),
    programs: &[&str],
    known: &Known,
) -> Option<Finding> {
    let of = |program: &&str| known.component(program).map(|component| component.gates.get(name));
    let lacking: Vec<&str> = programs.iter().copied().filter(|program| of(program) == Some(None)).collect();
    if !lacking.is_empty() {
        let who = if lacking.len() == EVERYONE.len() { "no component".to_owned() } else { lacking.join(", ") };
        let none = if lacking.len() == EVERYONE.len() { "has" } else { "has not" };
        let message = format!("{who} of Kubernetes {} {none} the feature gate `{name}`", known.version());
        let help = absent(name, programs, lacking.len() < programs.len(), known);
        return Some(Finding::error("spec::unknown-feature-gate", message).at(draft, path).help(help));
    }
    let facts = programs.iter().find_map(|program| of(program).flatten())?;
    set(facts, name, on, &known.version()).map(|finding| finding.at(draft, path))
}

/// Two gates, the first of which needs the second, and the document and path where one of them is written.
type Pair = (String, String, Option<(usize, String)>);

/// Gates that are on while others that they need are off, and the programs that end because of them.
#[derive(Default)]
struct Lacking(BTreeMap<Pair, Vec<String>>);

impl Lacking {
    /// Looks at the gates of one program. Later layers win.
    fn of(&mut self, layers: &[Layer<'_>], program: &str, known: &Known) {
        let Some(component) = known.component(program) else { return };
        let given = |name: &str| layers.iter().rev().find_map(|layer| layer.gates.get(name)).copied();
        let is_on = |name: &str, facts: &GateFacts| is_on(given, (name, Some(facts.stage)), facts.default);
        for (name, facts) in component.gates.iter().filter(|(name, facts)| is_on(name, facts)) {
            let off = |need: &&String| component.gates.get(*need).is_some_and(|facts| !is_on(need, facts));
            for need in facts.needs.iter().filter(off) {
                // Defaults fit each other, so one of both is given, or all of a stage: what is in the last layer is
                // to be changed.
                let here = |layer: &Layer<'_>| {
                    let mut gates = [name.as_str(), need.as_str()].into_iter().chain(WIDE);
                    let gate = gates.find(|gate| layer.gates.contains_key(*gate))?;
                    Some((layer.document, join(&layer.section, gate)))
                };
                let place = layers.iter().rev().find_map(here);
                let programs = self.0.entry((name.clone(), need.clone(), place)).or_default();
                if !programs.iter().any(|known| known == program) {
                    programs.push(program.to_owned());
                }
            }
        }
    }

    fn findings(self) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(|((name, need, place), programs)| {
            let who = programs.join(", ");
            let does = if programs.len() == 1 { "does" } else { "do" };
            let message = format!("{who} {does} not start: the feature gate `{name}` needs `{need}`, which is off");
            let help = format!("switch `{need}` on, or `{name}` off");
            let mut finding = Finding::error("spec::feature-gate-needs", message).help(help);
            finding.places.extend(place.map(|(document, path)| (document, path, "here".to_owned())));
            finding
        })
    }
}

/// What to do about a gate that is not there.
fn absent(name: &str, programs: &[&str], some_have_it: bool, known: &Known) -> String {
    if some_have_it {
        return "set it in the section of the component that has it".to_owned();
    }
    let program = programs.first().copied().unwrap_or_default();
    let names = known.component(program).into_iter().flat_map(|component| component.gates.keys());
    known
        .went(known.past.gates.get(name).copied())
        .or_else(|| known.comes(program, |component| component.gates.contains_key(name)))
        .or_else(|| suggest::meant(name, names.map(String::as_str)))
        .unwrap_or_else(|| "remove it".to_owned())
}

/// What is to be said about a gate that is there, without its place.
fn set(facts: &GateFacts, name: &str, on: bool, version: &str) -> Option<Finding> {
    let default = facts.default;
    if facts.locked && on != default {
        let message = format!("the feature gate `{name}` is locked to `{default}` in Kubernetes {version}");
        return Some(Finding::error("spec::locked-feature-gate", message).help("remove it"));
    }
    let fate = match facts.stage {
        Stage::Ga => "is done and its gate will go",
        Stage::Deprecated => "is on its way out",
        Stage::Alpha | Stage::Beta => return None,
    };
    let message = format!("the feature of the gate `{name}` {fate}");
    let help = if on == default {
        format!("remove it; it is `{default}` anyway")
    } else {
        "a later minor refuses it; do without".to_owned()
    };
    Some(Finding::warning("spec::ending-feature-gate", message).help(help))
}

/// The gates in the value of etcd's flag.
pub(super) fn of_etcd<T>(draft: &Draft<T>, path: &str, value: &str, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in value.split(',').filter(|pair| !pair.is_empty()) {
        let Some((name, on)) =
            pair.split_once('=').and_then(|(name, on)| Some((name.trim(), values::parse_bool(on.trim())?)))
        else {
            let message = format!("`{pair}` is no feature gate with a truth value");
            let help = "such as `CompactHashCheck=true`";
            findings.push(Finding::error("spec::flag-value", message).at(draft, path).help(help));
            continue;
        };
        findings.extend(etcd_gate(name, on, known).map(|finding| finding.at(draft, path)));
    }
    findings
}

fn etcd_gate(name: &str, on: bool, known: &Known) -> Option<Finding> {
    let all = &known.component("etcd")?.gates;
    if let Some(facts) = all.get(name) {
        return set(facts, name, on, &known.version());
    }
    let meant = suggest::meant(name, all.keys().map(String::as_str));
    let help = meant.unwrap_or_else(|| "remove it".to_owned());
    Some(Finding::error("spec::unknown-feature-gate", format!("etcd has no feature gate `{name}`")).help(help))
}
