//! Extra flags: the component has them, and reads their values.

use std::collections::BTreeMap;

use catalog::FlagFacts;

use super::super::{Finding, World};
use super::{Known, gates, values};
use crate::check::join;
use crate::effective::Draft;
use crate::{Cluster, suggest};

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let spec = &cluster.value.spec;
    let components: [(&str, &str, &BTreeMap<String, String>); 4] = [
        ("kube-apiserver", "kubeAPIServer", &spec.kube_api_server.extra_args),
        ("kube-controller-manager", "kubeControllerManager", &spec.kube_controller_manager.extra_args),
        ("kube-scheduler", "kubeScheduler", &spec.kube_scheduler.extra_args),
        ("etcd", "etcd", &spec.etcd.extra_args),
    ];
    let mut findings = Vec::new();
    for (program, section, arguments) in components {
        let Some(component) = known.component(program) else { continue };
        for (name, value) in arguments {
            let path = join(&format!("spec.{section}.extraArgs"), name);
            let Some(flag) = component.flags.get(name) else {
                findings.push(unknown(cluster, path, program, name, known));
                continue;
            };
            findings.extend(deprecated(cluster, &path, program, name, flag));
            if program == "etcd" && name == "feature-gates" {
                findings.extend(gates::of_etcd(cluster, &path, value, known));
            } else if let Err(wrong) = values::check(&flag.type_name, value) {
                let message = format!("{program} reads `{name}` as {}, and `{value}` is none", wrong.wanted);
                findings.push(Finding::error("spec::flag-value", message).at(cluster, path).help(wrong.help));
            }
        }
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
        .or_else(|| suggest::nearest(name, flags.map(String::as_str)).map(|flag| format!("did you mean `{flag}`?")))
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
