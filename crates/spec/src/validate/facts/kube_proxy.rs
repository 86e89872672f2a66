//! kube-proxy's own settings: fields that it has, with values of their types.

use super::super::kube_proxy::is_managed;
use super::super::{Finding, World};
use super::Known;
use super::fields::{self, Wrong};

const PATH: &str = "spec.networking.kubeProxy.config";
const ROOT: &str = "KubeProxyConfiguration";

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let (Some(cluster), Some(types)) = (world.cluster(), known.types("kube-proxy")) else { return Vec::new() };
    let config = cluster.value.spec.networking.kube_proxy.config.iter();
    let own = config.filter(|(name, _)| !is_managed(name)).map(|(name, value)| (name.clone(), value.clone()));
    let version = known.version();
    let finding = |wrong| match wrong {
        // It reads strictly first, and when that fails without minding.
        Wrong::Unknown { path, name, meant } => {
            let message = format!("kube-proxy {version} has no setting `{name}` and goes on without it");
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            Finding { help, ..Finding::warning("spec::unknown-kube-proxy-field", message).at(cluster, path) }
        }
        Wrong::Mistyped { path, wanted, help } => {
            let message = format!("kube-proxy {version} wants {wanted} here and does not start with anything else");
            Finding { help, ..Finding::error("spec::kube-proxy-field-type", message).at(cluster, path) }
        }
    };
    fields::check(types, ROOT, &own.collect(), PATH).into_iter().map(finding).collect()
}
