//! Whether a cluster is healthy: what was fetched, and what is wrong with it.

mod summary;
mod thorough;

use std::collections::BTreeSet;

use futures::future::{join_all, try_join_all};
use resource::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::summary::{node_summary, pod_summary};
pub use self::thorough::{ExpectedNode, thorough};
use crate::connection::Connection;
use crate::field::{OWNER, text};
use crate::{ApiError, Connections};

/// One Node, as far as health and tables need it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSummary {
    /// Its name.
    pub name: String,
    /// Condition Ready is True.
    pub ready: bool,
    /// Why it is not ready, in kubelet's words; empty when it is.
    pub reason: String,
    /// Pressure and network conditions that are True.
    pub pressures: Vec<String>,
    /// Cordoned.
    pub unschedulable: bool,
    /// Roles from `node-role.kubernetes.io/` labels.
    pub roles: Vec<String>,
    /// Kubelet's version.
    pub kubelet: String,
    /// Container runtime and version.
    pub runtime: String,
    /// Kernel version.
    pub kernel: String,
    /// Name of the operating system.
    pub os: String,
    /// Its first internal address.
    pub address: String,
    /// Allocatable cpu, as the API says it.
    pub cpu: String,
    /// Allocatable memory, as the API says it.
    pub memory: String,
    /// When the Ready condition was last heard of, RFC 3339; empty when never.
    pub heartbeat: String,
}

/// One pod of the system, as far as health needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSummary {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The node it is on; empty when unscheduled.
    pub node: String,
    /// Ready, or run to completion.
    pub ready: bool,
    /// Why it is not ready: a waiting reason such as `CrashLoopBackOff`, or the phase.
    pub reason: String,
    /// Restarts of all its containers.
    pub restarts: i64,
}

/// One API server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerSummary {
    /// Its base address.
    pub server: String,
    /// Why it is not ready; `None` when it is.
    pub problem: Option<String>,
}

/// What was fetched from a cluster to judge its health.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSummary {
    /// Every API server.
    pub servers: Vec<ServerSummary>,
    /// Every Node, by name.
    pub nodes: Vec<NodeSummary>,
    /// The pods of kube-system and of the namespaces that kubewright made, by namespace and name.
    pub pods: Vec<PodSummary>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about, such as `node/w-1` or `pod/kube-system/coredns-x`.
    pub subject: String,
    /// What is wrong, as a fragment.
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Fetches what is needed to judge a cluster.
pub async fn fetch(connections: &Connections, access: &Secret) -> Result<ClusterSummary, ApiError> {
    let connection = connections.open(access)?;
    let servers = join_all(connection.servers.iter().map(|server| async {
        let problem = server.probe().await.err().map(|error| error.to_string());
        ServerSummary { server: server.address.clone(), problem }
    }));
    let (servers, nodes, pods) = tokio::join!(servers, connection.list("/api/v1/nodes", &[]), system_pods(&connection));
    let mut nodes: Vec<_> = nodes?.iter().map(node_summary).collect();
    let mut pods: Vec<_> = pods?.iter().map(pod_summary).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    pods.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
    Ok(ClusterSummary { servers, nodes, pods })
}

/// Pods of kube-system and of the namespaces that are ours.
async fn system_pods(connection: &Connection) -> Result<Vec<Value>, ApiError> {
    let namespaces = connection.list("/api/v1/namespaces", &[]).await?;
    let names = namespaces.iter().filter(|namespace| is_system(namespace)).map(|found| text(found, "/metadata/name"));
    let paths: Vec<String> = names.map(|name| format!("/api/v1/namespaces/{name}/pods")).collect();
    let pods = try_join_all(paths.iter().map(|path| connection.list(path, &[]))).await?;
    Ok(pods.into_iter().flatten().collect())
}

fn is_system(namespace: &Value) -> bool {
    text(namespace, "/metadata/name") == "kube-system" || !text(namespace, OWNER).is_empty()
}

/// The Nodes of a cluster, by name.
pub async fn nodes(connections: &Connections, access: &Secret) -> Result<Vec<NodeSummary>, ApiError> {
    let mut nodes: Vec<_> =
        connections.open(access)?.list("/api/v1/nodes", &[]).await?.iter().map(node_summary).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(nodes)
}

/// What is wrong with a cluster that should have exactly the `expected` nodes; empty when it is healthy.
pub fn findings(summary: &ClusterSummary, expected: &BTreeSet<String>) -> Vec<Finding> {
    let finding = |subject: String, problem: String, hint: Option<String>| Finding { subject, problem, hint };
    let mut findings = Vec::new();
    for server in &summary.servers {
        if let Some(problem) = &server.problem {
            findings.push(finding(format!("server/{}", server.server), problem.clone(), None));
        }
    }
    for name in expected.iter().filter(|name| !summary.nodes.iter().any(|node| node.name == **name)) {
        let hint = format!("`kubewright ssh {name}`, then `journalctl -u kubelet`.");
        findings.push(finding(format!("node/{name}"), "has not registered".to_owned(), Some(hint)));
    }
    for node in &summary.nodes {
        findings.extend(node_findings(node, expected));
    }
    for pod in summary.pods.iter().filter(|pod| !pod.ready) {
        let restarts = if pod.restarts > 0 { format!(" ({} restarts)", pod.restarts) } else { String::new() };
        let problem = format!("is not ready: {}{restarts}", pod.reason);
        let hint = format!("`kubectl --namespace {} describe pod {}`", pod.namespace, pod.name);
        findings.push(finding(format!("pod/{}/{}", pod.namespace, pod.name), problem, Some(hint)));
    }
    findings
}

fn node_findings(node: &NodeSummary, expected: &BTreeSet<String>) -> Vec<Finding> {
    let mut problems = Vec::new();
    if !expected.contains(&node.name) {
        problems.push("is not in the spec".to_owned());
    }
    if !node.ready {
        problems.push(format!("is not ready: {}", node.reason));
    }
    problems.extend(node.pressures.iter().map(|pressure| format!("reports {pressure}")));
    if node.unschedulable {
        problems.push("is cordoned".to_owned());
    }
    let hint = format!("`kubectl describe node {}`", node.name);
    let finding = |problem| Finding { subject: format!("node/{}", node.name), problem, hint: Some(hint.clone()) };
    problems.into_iter().map(finding).collect()
}

/// Fetches and judges.
pub async fn cluster_health(
    connections: &Connections,
    access: &Secret,
    expected: &BTreeSet<String>,
) -> Result<Vec<Finding>, ApiError> {
    Ok(findings(&fetch(connections, access).await?, expected))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::{SERVERS, World};

    fn node(name: &str) -> NodeSummary {
        NodeSummary { name: name.into(), ready: true, ..NodeSummary::default() }
    }

    fn judge(summary: &ClusterSummary, expected: &[&str]) -> Vec<String> {
        let expected = expected.iter().map(|name| (*name).to_owned()).collect();
        findings(summary, &expected).iter().map(|found| format!("{} {}", found.subject, found.problem)).collect()
    }

    #[test]
    fn a_cluster_with_all_its_nodes_ready_has_no_findings() {
        let summary = ClusterSummary { nodes: vec![node("cp-1"), node("w-1")], ..ClusterSummary::default() };
        assert!(judge(&summary, &["cp-1", "w-1"]).is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_found() {
        let broken = NodeSummary {
            ready: false,
            reason: "container runtime is down".into(),
            pressures: vec!["MemoryPressure".into()],
            unschedulable: true,
            ..node("w-1")
        };
        let pod = PodSummary {
            namespace: "kube-system".into(),
            name: "coredns-x".into(),
            node: "w-1".into(),
            ready: false,
            reason: "CrashLoopBackOff".into(),
            restarts: 3,
        };
        let server = ServerSummary { server: "https://10.0.0.3:6443".into(), problem: Some("no answer".into()) };
        let summary = ClusterSummary { servers: vec![server], nodes: vec![broken, node("x")], pods: vec![pod] };
        assert_eq!(
            judge(&summary, &["w-1", "w-2"]),
            [
                "server/https://10.0.0.3:6443 no answer",
                "node/w-2 has not registered",
                "node/w-1 is not ready: container runtime is down",
                "node/w-1 reports MemoryPressure",
                "node/w-1 is cordoned",
                "node/x is not in the spec",
                "pod/kube-system/coredns-x is not ready: CrashLoopBackOff (3 restarts)",
            ]
        );
    }

    fn world_with_pods() -> World {
        let world = World::new();
        let mut state = world.fake.state();
        let ours = json!({"metadata": {"name": "kube-flannel", "annotations": {"kubewright.io/owner": "x"}}});
        state.put("/api/v1/namespaces/kube-flannel", ours);
        state.put("/api/v1/namespaces/theirs", json!({"metadata": {"name": "theirs"}}));
        for namespace in ["kube-system", "kube-flannel", "theirs"] {
            let pod = json!({"metadata": {"name": "p", "namespace": namespace}, "status": {"phase": "Pending"}});
            state.put(&format!("/api/v1/namespaces/{namespace}/pods/p"), pod);
        }
        state.unready.insert(SERVERS[1].to_owned(), "[-]etcd failed".to_owned());
        drop(state);
        world
    }

    #[tokio::test]
    async fn pods_of_the_system_and_of_our_namespaces_are_judged() {
        let world = world_with_pods();
        let found = cluster_health(&world.connections, &World::access(), &BTreeSet::new()).await.unwrap();
        let subjects: Vec<&str> = found.iter().map(|found| found.subject.as_str()).collect();
        assert_eq!(subjects, ["server/https://10.0.0.3:6443", "pod/kube-flannel/p", "pod/kube-system/p"]);
    }
}
