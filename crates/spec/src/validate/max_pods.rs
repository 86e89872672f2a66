//! Rule: kubelets take no more pods than their nodes have addresses for.

use serde_json::Value;

use super::{Finding, World};
use crate::Kubelet;
use crate::effective::Draft;

/// kubelet's default.
const MAX_PODS: u64 = 110;
const FIELD: &str = "spec.kubelet.config.maxPods";

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let networking = &cluster.value.spec.networking;
    let (mask, kubelet) = (networking.node_cidr_mask_size, &cluster.value.spec.kubelet);
    let addresses = (1_u64 << (32 - mask)) - 2;
    let general = max_pods(kubelet).unwrap_or(MAX_PODS);
    let said = |pods: u64| {
        let message = format!("kubelet takes {pods} pods, and a node's /{mask} has {addresses} addresses");
        let help = format!("set `{FIELD}` to {addresses} or less, or a smaller mask size when the cluster is made");
        (pods > addresses).then(|| Finding::warning("spec::range-too-small", message).help(help))
    };
    let place = |finding: Finding| match max_pods(kubelet) {
        Some(_) => at(finding, cluster).and(cluster, "spec.networking.nodeCIDRMaskSize", "each node's part"),
        None => finding.at(cluster, "spec.networking.nodeCIDRMaskSize"),
    };
    let mut findings: Vec<Finding> = said(general).map(place).into_iter().collect();
    for group in world.groups() {
        let own = max_pods(&group.value.spec.kubelet).and_then(said);
        findings.extend(
            own.map(|finding| at(finding, group).and(cluster, "spec.networking.nodeCIDRMaskSize", "each node's part")),
        );
    }
    findings
}

fn at<T>(finding: Finding, draft: &Draft<T>) -> Finding {
    finding.and(draft, FIELD, "so many pods")
}

/// What a layer says; to kubelet 0 is its default.
fn max_pods(kubelet: &Kubelet) -> Option<u64> {
    kubelet.config.get("maxPods").and_then(Value::as_u64).filter(|pods| *pods > 0)
}
