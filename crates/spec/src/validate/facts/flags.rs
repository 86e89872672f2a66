//! Extra flags: the component has them, and reads their values.

use std::collections::BTreeMap;

use catalog::{ComponentFacts, FlagFacts};
use ipnet::IpNet;

use super::super::gates::is_on;
use super::super::{Finding, World};
use super::{Known, forms, gates, limits, together, values};
use crate::check::join;
use crate::effective::Draft;
use crate::format::amounts::parse_port_range;
use crate::{AuditPolicy, Cluster, EncryptionProvider, suggest};

type Arguments = BTreeMap<String, String>;
type Gates = BTreeMap<String, bool>;

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let spec = &cluster.value.spec;
    let none = Gates::new();
    let (api_server, manager) = (&spec.kube_api_server, &spec.kube_controller_manager);
    let components: [(&str, &str, &Arguments, &Gates); 4] = [
        ("kube-apiserver", "kubeAPIServer", &api_server.extra_args, &api_server.feature_gates),
        ("kube-controller-manager", "kubeControllerManager", &manager.extra_args, &manager.feature_gates),
        ("kube-scheduler", "kubeScheduler", &spec.kube_scheduler.extra_args, &spec.kube_scheduler.feature_gates),
        ("etcd", "etcd", &spec.etcd.extra_args, &none),
    ];
    let mut findings = Vec::new();
    for (program, section, arguments, gates) in components {
        let Some(component) = known.component(program) else { continue };
        let section = format!("spec.{section}.extraArgs");
        for (name, value) in arguments {
            let path = join(&section, name);
            match component.flags.get(name) {
                None => findings.push(unknown(cluster, path, program, name, known)),
                Some(flag) => {
                    findings.extend(argument(cluster, &path, (program, component), (name, flag, value), known));
                }
            }
        }
        let has_gate = |gate: &str| {
            let given = |gate: &str| gates.get(gate).or_else(|| spec.feature_gates.get(gate)).copied();
            let facts = component.gates.get(gate);
            is_on(given, (gate, facts.map(|facts| facts.stage)), facts.is_some_and(|facts| facts.default))
        };
        let node_ports = parse_port_range(&api_server.service_node_port_range).unwrap_or((0, u16::MAX));
        let setting = together::Setting {
            arguments,
            is_on: &has_gate,
            node_ports,
            minor: known.minor,
            audits: spec.audit.policy != AuditPolicy::None,
            encrypts: spec.encryption_at_rest.provider != EncryptionProvider::None,
            has_ipv6: spec.networking.pod_cidrs.iter().any(|range| matches!(range, IpNet::V6(_))),
        };
        findings.extend(together::check(program, &setting).into_iter().map(|clash| {
            Finding::error("spec::flag-value", clash.message).at(cluster, join(&section, &clash.flag)).help(clash.help)
        }));
    }
    findings
}

/// What there is to say about a flag that the component has.
fn argument(
    cluster: &Draft<Cluster>,
    path: &str,
    (program, component): (&str, &ComponentFacts),
    (name, flag, value): (&str, &FlagFacts, &str),
    known: &Known,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = deprecated(cluster, path, program, name, flag).into_iter().collect();
    let wrong =
        |message: String, help: String| Finding::error("spec::flag-value", message).at(cluster, path).help(help);
    let unfit = || format!("{program} does not start with `{name}: {value}`");
    if program == "etcd" && name == "feature-gates" {
        findings.extend(gates::of_etcd(cluster, path, value, known));
    } else if let Some(list) = values::string_slice(value).filter(|_| name == "controllers") {
        // Only all of them together have a name that is none of a controller, and all of them are not switched off by it.
        let named = list.iter().filter(|one| *one != "*").map(|one| one.strip_prefix('-').unwrap_or(one));
        let unknown = named.filter(|one| !component.controllers.iter().any(|known| known == one));
        findings.extend(unknown.map(|one| {
            let meant = suggest::meant(one, component.controllers.iter().map(String::as_str));
            let help = meant.unwrap_or_else(|| "remove it".to_owned());
            wrong(format!("{program} has no controller `{one}`"), help)
        }));
    } else if let Err(not) = values::check(name, &flag.type_name, value) {
        findings.push(wrong(format!("{program} reads `{name}` as {}, and `{value}` is none", not.wanted), not.help));
    } else if forms::ends(program, name, value) {
        findings.push(wrong(format!("{program} ends at once with `{name}: {value}`"), "remove it".to_owned()));
    } else if let Err(help) = limits::check(program, name, &flag.type_name, value) {
        findings.push(wrong(unfit(), help));
    } else if let Err(help) = forms::check(program, name, value, known.minor) {
        findings.push(wrong(unfit(), help.to_owned()));
    }
    findings
}

fn unknown(cluster: &Draft<Cluster>, path: String, program: &str, name: &str, known: &Known) -> Finding {
    let version = if program == "etcd" { String::new() } else { format!(" {}", known.version()) };
    let message = format!("{program}{version} has no flag `{name}` and would not start");
    let flags = known.component(program).into_iter().flat_map(|component| component.flags.keys());
    let help = known
        .went(known.past.flag(program, name))
        .or_else(|| known.comes(program, |component| component.flags.contains_key(name)))
        .or_else(|| suggest::meant(name, flags.map(String::as_str)))
        .unwrap_or_else(|| "remove it".to_owned());
    Finding::error("spec::unknown-flag", message).at(cluster, path).help(help)
}

fn deprecated(cluster: &Draft<Cluster>, path: &str, program: &str, name: &str, flag: &FlagFacts) -> Option<Finding> {
    if flag.deprecated.is_empty() {
        return None;
    }
    let message = format!("the flag `{name}` of {program} is on its way out");
    let help = format!("{program} says: {}", flag.deprecated.trim());
    Some(Finding::warning("spec::deprecated-flag", message).at(cluster, path).help(help))
}
