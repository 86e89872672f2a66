//! Rule: there is one cluster, its groups belong to it and have names of their own.

use std::collections::BTreeMap;

use super::{Finding, World};
use crate::effective::Draft;
use crate::schema::Kind;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = clusters(world);
    let mut first: BTreeMap<&str, &Draft<crate::InstanceGroup>> = BTreeMap::new();
    for group in world.groups() {
        let metadata = &group.value.metadata;
        if let Some(earlier) = first.insert(&metadata.name, group) {
            let (earlier, later) = if earlier.document < group.document { (earlier, group) } else { (group, earlier) };
            let finding = Finding::error(
                "spec::duplicate-group",
                format!("there are two instance groups called `{}`", metadata.name),
            );
            findings.push(
                finding
                    .and(later, "metadata.name", "here again")
                    .and(earlier, "metadata.name", "first here")
                    .help("rename one of them, or raise the other's `spec.count`"),
            );
        }
        if let Some(cluster) = world.cluster() {
            let name = &cluster.value.metadata.name;
            if metadata.cluster != *name {
                let message = format!(
                    "instance group `{}` belongs to cluster `{}`, not to `{name}`",
                    metadata.name, metadata.cluster
                );
                findings.push(
                    Finding::error("spec::other-cluster", message)
                        .at(group, "metadata.cluster")
                        .and(cluster, "metadata.name", "the cluster")
                        .help(format!("write `{name}`")),
                );
            }
        }
    }
    findings
}

fn clusters(world: &World<'_>) -> Vec<Finding> {
    let at = |document| Draft { document, value: () };
    let clusters: Vec<_> =
        (0..).zip(&world.documents.documents).filter(|(_, document)| document.kind == Kind::Cluster).collect();
    match clusters.as_slice() {
        [] if world.documents.incomplete => Vec::new(),
        [] => {
            let finding = Finding::error("spec::no-cluster", "there is no document of kind `Cluster`");
            let finding = finding.help("`kubewright create cluster NAME --dry-run -o yaml` prints one to start from");
            vec![match world.groups().first() {
                Some(group) => finding.at(group, ""),
                None => finding,
            }]
        }
        [_] => Vec::new(),
        [(first, _), more @ ..] => more
            .iter()
            .map(|(index, _)| {
                Finding::error("spec::several-clusters", "there is more than one document of kind `Cluster`")
                    .and(&at(*index), "metadata.name", "one more")
                    .and(&at(*first), "metadata.name", "the first")
                    .help("keep each cluster in files of its own")
            })
            .collect(),
    }
}
