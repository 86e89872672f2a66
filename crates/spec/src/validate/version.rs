//! Rule: the version of Kubernetes is one that kubewright knows.

use super::{Finding, World};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let Err(unsupported) = catalog::find(&cluster.value.spec.kubernetes_version) else { return Vec::new() };
    let finding =
        Finding::error("spec::unsupported-version", unsupported.to_string()).at(cluster, "spec.kubernetesVersion");
    vec![match unsupported.meant {
        Some(version) => finding.help(format!("write `{version}`")),
        None => finding,
    }]
}
