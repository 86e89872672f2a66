//! The pods of a control plane that kubelet starts from files: the API has a mirror of each.

use jiff::{SignedDuration, Timestamp};

use super::{ClusterSummary, Finding, NodeSummary, Thorough};
use crate::kubelet;

/// What each control plane runs, as kubeadm names it.
const COMPONENTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const NAMESPACE: &str = "kube-system";
/// kubelet tries once a minute to make a mirror that the API server did not take, as while it starts itself.
const MIRRORED_WITHIN: SignedDuration = SignedDuration::from_mins(3);

/// Static pods that should be there and are not: their manifest is gone or broken, or kubelet does not read it.
pub(super) fn missing(summary: &ClusterSummary, wanted: &Thorough<'_>) -> Vec<Finding> {
    let is_control_plane =
        |node: &&NodeSummary| node.ready && wanted.nodes.get(&node.name).is_some_and(|expected| expected.control_plane);
    let mut found = Vec::new();
    for node in summary.nodes.iter().filter(is_control_plane) {
        let is_young = is_young(node, wanted.now);
        for component in COMPONENTS {
            let name = format!("{component}-{}", node.name);
            if summary.pods.iter().any(|pod| pod.namespace == NAMESPACE && pod.name == name) {
                continue;
            }
            let cluster = wanted.cluster;
            found.push(Finding {
                subject: format!("pod/{NAMESPACE}/{name}"),
                problem: if is_young { "is not listed yet" } else { "is not there" }.to_owned(),
                hint: Some(kubelet::journal(cluster, &node.name)),
                fails: !is_young,
            });
        }
    }
    found
}

fn is_young(node: &NodeSummary, now: Timestamp) -> bool {
    node.created.parse::<Timestamp>().is_ok_and(|created| now.duration_since(created) < MIRRORED_WITHIN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{ExpectedNode, PodSummary};
    use super::*;

    fn found(created: &str, pods: &[&str]) -> Vec<(String, bool)> {
        let node = |name: &str| NodeSummary {
            name: name.to_owned(),
            ready: true,
            created: created.to_owned(),
            ..NodeSummary::default()
        };
        let pod = |name: &&str| PodSummary {
            namespace: NAMESPACE.to_owned(),
            name: (*name).to_owned(),
            node: "cp-1".to_owned(),
            ready: true,
            reason: String::new(),
            restarts: 0,
        };
        let expected = |control_plane| ExpectedNode { kubelet: String::new(), runtime: String::new(), control_plane };
        let wanted = Thorough {
            cluster: "demo",
            nodes: BTreeMap::from([("cp-1".to_owned(), expected(true)), ("w-1".to_owned(), expected(false))]),
            workloads: std::collections::BTreeSet::new(),
            waits_for_network: false,
            ignores_policies: None,
            now: "2026-01-01T01:00:00Z".parse().unwrap(),
        };
        let nodes = vec![node("cp-1"), node("w-1"), node("joined")];
        let pods = pods.iter().map(pod).collect();
        let found = missing(&ClusterSummary { servers: Vec::new(), nodes, pods }, &wanted);
        found.into_iter().map(|found| (format!("{} {}", found.subject, found.problem), found.fails)).collect()
    }

    #[test]
    fn a_control_plane_without_one_of_its_static_pods_is_unhealthy() {
        let rest = ["etcd-cp-1", "kube-apiserver-cp-1", "kube-scheduler-cp-1"];
        let gone = ("pod/kube-system/kube-controller-manager-cp-1 is not there".to_owned(), true);
        assert_eq!(found("2026-01-01T00:50:00Z", &rest), [gone]);
        let all = [&rest[..], &["kube-controller-manager-cp-1"]].concat();
        assert_eq!(found("2026-01-01T00:50:00Z", &all), []);
    }

    #[test]
    fn of_a_node_that_has_just_registered_it_is_said_and_fails_nothing() {
        let rest = ["kube-apiserver-cp-1", "kube-controller-manager-cp-1", "kube-scheduler-cp-1"];
        let late = ("pod/kube-system/etcd-cp-1 is not listed yet".to_owned(), false);
        assert_eq!(found("2026-01-01T00:58:00Z", &rest), [late]);
    }
}
