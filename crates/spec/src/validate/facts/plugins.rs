//! Admission plugins: the API server has them.

use super::super::{Finding, World};
use super::Known;
use crate::suggest;

/// Plugins that have no defaults, and the flag that names their configuration.
const CONFIGURED: [&str; 2] = ["EventRateLimit", "ImagePolicyWebhook"];
const CONFIGURATION: &str = "admission-control-config-file";

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let (Some(cluster), Some(facts)) = (world.cluster(), known.component("kube-apiserver")) else { return Vec::new() };
    let plugins = &cluster.value.spec.kube_api_server.admission_plugins;
    let mut findings = Vec::new();
    for (list, names) in [("enable", &plugins.enable), ("disable", &plugins.disable)] {
        for (index, name) in names.iter().enumerate() {
            if facts.admission_plugins.names().any(|plugin| plugin == name) {
                continue;
            }
            let path = format!("spec.kubeAPIServer.admissionPlugins.{list}[{index}]");
            let message = format!("kube-apiserver {} has no admission plugin `{name}`", known.version());
            let here = facts.admission_plugins.names();
            let help = known
                .went(known.past.admission_plugins.get(name).copied())
                .or_else(|| {
                    known.comes("kube-apiserver", |later| later.admission_plugins.names().any(|plugin| plugin == name))
                })
                .or_else(|| suggest::meant(name, here))
                .unwrap_or_else(|| "remove it".to_owned());
            findings.push(Finding::error("spec::admission-plugin", message).at(cluster, path).help(help));
        }
    }
    findings.extend(plugins.enable.iter().enumerate().filter_map(|(index, name)| {
        let is_given = cluster.value.spec.kube_api_server.extra_args.contains_key(CONFIGURATION);
        let message = format!("the admission plugin `{name}` does not start without a configuration");
        let path = format!("spec.kubeAPIServer.admissionPlugins.enable[{index}]");
        let help = format!("write one by `spec.files` and name it by the flag `{CONFIGURATION}`");
        (CONFIGURED.contains(&name.as_str()) && !is_given)
            .then(|| Finding::error("spec::admission-plugin", message).at(cluster, path).help(help))
    }));
    findings
}
