//! Whether a cluster is healthy: what was fetched, and what is wrong with it.

mod last_events;
mod static_pods;
mod summary;
mod thorough;

use std::collections::BTreeSet;

use futures::future::{join_all, try_join_all};
use resource::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::last_events::add_last_events;
use self::summary::{node_summary, pod_summary};
pub use self::thorough::{ExpectedNode, Thorough, thorough};
use crate::connection::Connection;
use crate::field::{is_own, text};
use crate::{ApiError, Connections, kubelet};

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
    /// When it registered, RFC 3339.
    pub created: String,
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
    /// Whether the cluster is unhealthy by it. What its owner did on purpose, or what is not ours, is told only.
    pub fails: bool,
}

/// What a cluster is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its name, for commands that are suggested.
    pub cluster: String,
    /// The nodes that it should have.
    pub nodes: BTreeSet<String>,
    /// Nodes of the spec, and base addresses of API servers, that nobody could reach: they are told of and nobody's fault.
    pub unreached: BTreeSet<String>,
    /// The documents ask for no pod network, so that it is the owner's to bring one.
    pub own_network: bool,
}

/// Fetches what is needed to judge a cluster.
pub async fn fetch(connections: &Connections, access: &Secret) -> Result<ClusterSummary, ApiError> {
    let connection = connections.open(access)?;
    let servers = join_all(connection.servers.iter().map(|server| async {
        let problem = server.probe().await.err().map(|error| failed_checks(&error.to_string()));
        ServerSummary { server: server.address.clone(), problem }
    }));
    let (servers, nodes, pods) = tokio::join!(servers, connection.list("/api/v1/nodes", &[]), system_pods(&connection));
    let mut nodes: Vec<_> = nodes?.iter().map(node_summary).collect();
    let mut pods: Vec<_> = pods?.iter().map(pod_summary).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    pods.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
    Ok(ClusterSummary { servers, nodes, pods })
}

/// What an API server that is not ready says on one line: of its checks, of which it lists dozens, those that failed.
fn failed_checks(answer: &str) -> String {
    let lines: Vec<&str> = answer.lines().map(str::trim).collect();
    let failed: Vec<&str> = lines.iter().copied().filter(|line| line.contains("[-]")).collect();
    if failed.is_empty() { lines.join(" ") } else { format!("not ready: {}", failed.join(", ")) }
}

/// Pods of kube-system and of the namespaces that are ours.
async fn system_pods(connection: &Connection) -> Result<Vec<Value>, ApiError> {
    let namespaces = system_namespaces(connection).await?;
    let paths: Vec<String> = namespaces.iter().map(|name| format!("/api/v1/namespaces/{name}/pods")).collect();
    let pods = try_join_all(paths.iter().map(|path| connection.list(path, &[]))).await?;
    Ok(pods.into_iter().flatten().collect())
}

/// kube-system, and the namespaces that are ours.
pub(crate) async fn system_namespaces(connection: &Connection) -> Result<BTreeSet<String>, ApiError> {
    let namespaces = connection.list("/api/v1/namespaces", &[]).await?;
    let names = namespaces.iter().filter(|namespace| is_system(namespace)).map(|found| text(found, "/metadata/name"));
    Ok(names.map(str::to_owned).collect())
}

fn is_system(namespace: &Value) -> bool {
    text(namespace, "/metadata/name") == "kube-system" || is_own(namespace)
}

/// The Nodes of a cluster, by name.
pub async fn nodes(connections: &Connections, access: &Secret) -> Result<Vec<NodeSummary>, ApiError> {
    let mut nodes: Vec<_> =
        connections.open(access)?.list("/api/v1/nodes", &[]).await?.iter().map(node_summary).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(nodes)
}

/// What is to be said about a cluster that should have the `expected` nodes; empty when all is well.
pub fn findings(summary: &ClusterSummary, expected: &Expected) -> Vec<Finding> {
    let finding =
        |subject: String, problem: String, hint: Option<String>| Finding { subject, problem, hint, fails: true };
    let mut findings = Vec::new();
    for server in &summary.servers {
        if let Some(problem) = &server.problem {
            let finding = finding(format!("server/{}", server.server), problem.clone(), None);
            findings.push(Finding { fails: !expected.unreached.contains(&server.server), ..finding });
        }
    }
    for name in expected.nodes.iter().filter(|name| !summary.nodes.iter().any(|node| node.name == **name)) {
        let hint = kubelet::journal(&expected.cluster, name);
        findings.push(finding(format!("node/{name}"), "has not registered".to_owned(), Some(hint)));
    }
    for node in &summary.nodes {
        findings.extend(node_findings(node, expected));
    }
    for pod in summary.pods.iter().filter(|pod| !pod.ready) {
        let restarts = if pod.restarts > 0 { format!(" ({} restarts)", pod.restarts) } else { String::new() };
        let problem = format!("is not ready: {}{restarts}", pod.reason);
        let hint = format!("`kubectl --namespace {} describe pod {}`", pod.namespace, pod.name);
        let finding = finding(format!("pod/{}/{}", pod.namespace, pod.name), problem, Some(hint));
        findings.push(Finding { fails: pod_fails(pod, expected), ..finding });
    }
    findings
}

fn node_findings(node: &NodeSummary, expected: &Expected) -> Vec<Finding> {
    let is_ours = expected.nodes.contains(&node.name);
    let mut problems = Vec::new();
    if !is_ours && !expected.unreached.contains(&node.name) {
        problems.push(("is not in the spec".to_owned(), false));
    }
    if !node.ready {
        let waits = expected.own_network && lacks_network(&node.reason);
        problems.push((format!("is not ready: {}", node.reason), is_ours && !waits));
    }
    problems.extend(node.pressures.iter().map(|pressure| (format!("reports {pressure}"), is_ours)));
    if node.unschedulable {
        problems.push(("is cordoned".to_owned(), false));
    }
    let hint = format!("`kubectl describe node {}`", node.name);
    let finding =
        |(problem, fails)| Finding { subject: format!("node/{}", node.name), problem, hint: Some(hint.clone()), fails };
    problems.into_iter().map(finding).collect()
}

/// Whether the owner's pod network, which the documents leave to him, is still missing on some node that should have it.
pub fn waits_for_network(nodes: &[NodeSummary], expected: &Expected) -> bool {
    let lacks = |node: &NodeSummary| expected.nodes.contains(&node.name) && !node.ready && lacks_network(&node.reason);
    expected.own_network && nodes.iter().any(lacks)
}

/// Kubelet's words for a node that nobody has given a pod network.
fn lacks_network(reason: &str) -> bool {
    ["cni", "network plugin", "NetworkReady"].iter().any(|words| reason.contains(words))
}

/// A pod on a node that is not ours is not ours to mend, and without a network pods wait for one.
fn pod_fails(pod: &PodSummary, expected: &Expected) -> bool {
    let is_foreign = !pod.node.is_empty() && !expected.nodes.contains(&pod.node);
    let waits =
        expected.own_network && (pod.node.is_empty() || ["ContainerCreating", "Pending"].contains(&&*pod.reason));
    !is_foreign && !waits
}

/// Whether nothing that was found makes a cluster unhealthy.
pub fn is_healthy(findings: &[Finding]) -> bool {
    !findings.iter().any(|finding| finding.fails)
}

/// Fetches and judges.
pub async fn cluster_health(
    connections: &Connections,
    access: &Secret,
    expected: &Expected,
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
        let nodes = expected.iter().map(|name| (*name).to_owned()).collect();
        findings(summary, &Expected { nodes, ..Expected::default() })
            .iter()
            .map(|found| format!("{} {}", found.subject, found.problem))
            .collect()
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

    fn pod(node: &str, reason: &str) -> PodSummary {
        PodSummary {
            namespace: "kube-system".into(),
            name: format!("on-{node}"),
            node: node.into(),
            ready: false,
            reason: reason.into(),
            restarts: 0,
        }
    }

    fn failures(summary: &ClusterSummary, own_network: bool) -> Vec<String> {
        let nodes = BTreeSet::from(["w-1".to_owned()]);
        let expected = Expected { nodes, own_network, ..Expected::default() };
        let found = findings(summary, &expected).into_iter().filter(|found| found.fails);
        found.map(|found| found.subject).collect()
    }

    #[test]
    fn nodes_that_others_joined_or_cordoned_are_told_and_fail_nothing() {
        let cordoned = NodeSummary { unschedulable: true, ..node("w-1") };
        let joined = NodeSummary { ready: false, pressures: vec!["DiskPressure".into()], ..node("joined") };
        let pods = vec![pod("joined", "CrashLoopBackOff")];
        let summary = ClusterSummary { nodes: vec![cordoned, joined], pods, ..ClusterSummary::default() };
        assert_eq!(failures(&summary, false), [""; 0]);
        assert_eq!(judge(&summary, &["w-1"]).len(), 5, "all of it is told");
        let broken = ClusterSummary { pods: vec![pod("w-1", "CrashLoopBackOff")], ..summary };
        assert_eq!(failures(&broken, false), ["pod/kube-system/on-w-1"]);
    }

    #[test]
    fn without_a_pod_network_nothing_waits_for_one() {
        let reason = "container runtime network not ready: NetworkReady=false message:cni plugin not initialized";
        let waiting = NodeSummary { ready: false, reason: reason.into(), ..node("w-1") };
        let pods = vec![pod("", "0/1 nodes are available"), pod("w-1", "ContainerCreating")];
        let summary = ClusterSummary { nodes: vec![waiting], pods, ..ClusterSummary::default() };
        assert_eq!(failures(&summary, true), [""; 0]);
        assert_eq!(failures(&summary, false).len(), 3);
        let nodes = || BTreeSet::from(["w-1".to_owned()]);
        let expected = |own_network| Expected { nodes: nodes(), own_network, ..Expected::default() };
        assert!(
            waits_for_network(&summary.nodes, &expected(true)) && !waits_for_network(&summary.nodes, &expected(false))
        );
        assert!(!waits_for_network(&[node("w-1")], &expected(true)), "the owner's network is up");
        let stopped =
            NodeSummary { ready: false, reason: "Kubelet stopped posting node status.".into(), ..node("w-1") };
        let summary = ClusterSummary { nodes: vec![stopped], ..ClusterSummary::default() };
        assert_eq!(failures(&summary, true), ["node/w-1"]);
    }

    fn world_with_pods() -> World {
        let world = World::new();
        let mut state = world.fake.state();
        let ours = json!({"metadata": {"name": "kube-flannel", "annotations": {"kubewright.io/owner": "x"}}});
        state.put("/api/v1/namespaces/kube-flannel", ours);
        state.put("/api/v1/namespaces/theirs", json!({"metadata": {"name": "theirs"}}));
        let of_user = json!({"kubewright.io/owner": "x", "kubewright.io/manifest": "own"});
        state.put("/api/v1/namespaces/own", json!({"metadata": {"name": "own", "annotations": of_user}}));
        for namespace in ["kube-system", "kube-flannel", "own", "theirs"] {
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
        let found = cluster_health(&world.connections, &World::access(), &Expected::default()).await.unwrap();
        let subjects: Vec<&str> = found.iter().map(|found| found.subject.as_str()).collect();
        assert_eq!(subjects, ["server/https://10.0.0.3:6443", "pod/kube-flannel/p", "pod/kube-system/p"]);
    }
}
