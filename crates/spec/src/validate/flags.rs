//! Rule: extra flags and admission plugins leave alone what the cluster depends on.

use std::collections::BTreeMap;

use super::facts::values::parse_bool;
use super::{Finding, World};
use crate::check::join;

mod addresses;
mod managed;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let spec = &cluster.value.spec;
    let components: [(&str, &BTreeMap<String, String>, managed::Flags); 4] = [
        ("kubeAPIServer", &spec.kube_api_server.extra_args, managed::API_SERVER),
        ("kubeControllerManager", &spec.kube_controller_manager.extra_args, managed::CONTROLLER_MANAGER),
        ("kubeScheduler", &spec.kube_scheduler.extra_args, managed::SCHEDULER),
        ("etcd", &spec.etcd.extra_args, managed::ETCD),
    ];
    let mut findings = addresses::check(world, cluster);
    for (component, args, managed) in components {
        for (flag, value) in args {
            let path = join(&format!("spec.{component}.extraArgs"), flag);
            if let Some((_, instead)) = managed.iter().find(|(managed, _)| managed == flag) {
                let finding = Finding::error("spec::managed-flag", format!("the flag `{flag}` is set by kubewright"))
                    .at(cluster, path);
                findings.push(finding.help(if instead.is_empty() {
                    "remove it".to_owned()
                } else {
                    format!("use {instead}")
                }));
            } else if let Some((_, ours)) = excluding(component, flag) {
                let message = format!("the flag `{flag}` does not go with `{ours}`, which kubewright sets");
                findings.push(Finding::error("spec::managed-flag", message).at(cluster, path).help("remove it"));
            } else if component == "kubeAPIServer" && flag == "anonymous-auth" && parse_bool(value) == Some(false) {
                let message =
                    "without anonymous requests kubelet's probes of the API server fail, and it is restarted for ever";
                let help = "remove it; anonymous requests may only ask for health and version";
                findings.push(Finding::error("spec::managed-flag", message).at(cluster, path).help(help));
            }
        }
    }
    for (index, plugin) in spec.kube_api_server.admission_plugins.disable.iter().enumerate() {
        if plugin == "NodeRestriction" {
            let message = "without NodeRestriction a kubelet could change any node and the pods of all others";
            let path = format!("spec.kubeAPIServer.admissionPlugins.disable[{index}]");
            findings.push(Finding::error("spec::admission-plugin", message).at(cluster, path).help("remove it"));
        }
        if spec.kube_api_server.admission_plugins.enable.contains(plugin) {
            let message = format!("the admission plugin `{plugin}` is enabled and disabled");
            let path = format!("spec.kubeAPIServer.admissionPlugins.disable[{index}]");
            findings.push(Finding::error("spec::admission-plugin", message).at(cluster, path));
        }
    }
    findings
}

/// A flag that can't stand beside one that kubewright sets.
fn excluding(component: &str, flag: &str) -> Option<&'static (&'static str, &'static str)> {
    let of_api_server = (component == "kubeAPIServer").then_some(managed::EXCLUDING)?;
    of_api_server.iter().find(|(excluding, _)| *excluding == flag)
}
