//! Rule: whoever writes a NetworkPolicy is told where nothing enforces it.

use super::{Finding, World};
use crate::{Cni, manifest_objects};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    if cluster.value.spec.networking.cni != Cni::Flannel {
        return Vec::new();
    }
    let ignored = |index: usize, content: &str| {
        let objects = manifest_objects(content);
        let policy = objects.iter().find(|object| object["kind"] == "NetworkPolicy")?;
        let name = policy.pointer("/metadata/name")?.as_str()?;
        let message = format!("NetworkPolicy {name} will not be enforced: flannel ignores it");
        let place = format!("spec.addons.manifests[{index}].content");
        let help = "write `cni: none` and install a pod network that enforces policies";
        Some(Finding::warning("spec::network-policy", message).at(cluster, place).help(help))
    };
    let manifests = cluster.value.spec.addons.manifests.iter().enumerate();
    manifests.filter_map(|(index, manifest)| ignored(index, &manifest.content)).collect()
}
