//! kubelet's layers: fields that it has, with values of their types.

use serde_json::{Map, Value};

use super::super::kubelet::is_managed;
use super::super::{Finding, World};
use super::Known;
use super::fields::{self, Wrong};
use crate::effective::Draft;

const PATH: &str = "spec.kubelet.config";
const ROOT: &str = "KubeletConfiguration";

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(cluster) = world.cluster() {
        findings.extend(layer(cluster, &cluster.value.spec.kubelet.config, known));
    }
    for group in world.groups() {
        findings.extend(layer(group, &group.value.spec.kubelet.config, known));
    }
    findings
}

fn layer<T>(draft: &Draft<T>, config: &Map<String, Value>, known: &Known) -> Vec<Finding> {
    let Some(types) = known.types("kubelet") else { return Vec::new() };
    // Fields that are not the user's are refused whatever their value.
    let own = config.iter().filter(|(name, _)| !is_managed(name)).map(|(name, value)| (name.clone(), value.clone()));
    let wrong = fields::check(types, ROOT, &own.collect(), PATH);
    wrong.into_iter().map(|wrong| finding(draft, wrong, known)).collect()
}

fn finding<T>(draft: &Draft<T>, wrong: Wrong, known: &Known) -> Finding {
    let version = known.version();
    match wrong {
        Wrong::Unknown { path, name, meant } => {
            let message = format!("kubelet {version} has no setting `{name}` and goes on without it");
            let comes =
                || known.comes("kubelet", |later| later.types.get(ROOT).is_some_and(|of| of.contains_key(&name)));
            let help = meant.map(|meant| format!("did you mean `{meant}`?")).or_else(comes);
            Finding { help, ..Finding::warning("spec::unknown-kubelet-field", message).at(draft, path) }
        }
        Wrong::Mistyped { path, wanted, help } => {
            let message = format!("kubelet {version} wants {wanted} here and does not start with anything else");
            Finding { help, ..Finding::error("spec::kubelet-field-type", message).at(draft, path) }
        }
    }
}
