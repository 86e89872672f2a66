//! The second look of `validate`: workloads that we made, aggregated APIs, nodes held against the spec, open requests.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use resource::Secret;
use serde_json::{Value, json};

use super::{ClusterSummary, Finding, NodeSummary, static_pods};
use crate::csr::{self, PATH as REQUESTS, Stage};
use crate::field::{OWNER, text};
use crate::rollout::{Rollout, rollout};
use crate::{ApiError, Connections};

/// What is listed for its rollout: kind, and path of all objects of it.
const ROLLED_OUT: [(&str, &str); 3] = [
    ("DaemonSet", "/apis/apps/v1/daemonsets"),
    ("Deployment", "/apis/apps/v1/deployments"),
    ("APIService", "/apis/apiregistration.k8s.io/v1/apiservices"),
];
const POLICIES: &str = "/apis/networking.k8s.io/v1/networkpolicies";
const CONTROL_PLANE: &str = "control-plane";

/// What the spec says of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedNode {
    /// Kubelet's version, such as `v1.36.3`.
    pub kubelet: String,
    /// Container runtime and version as kubelet reports them, such as `containerd://2.2.1`.
    pub runtime: String,
    /// It has the control plane's role.
    pub control_plane: bool,
}

/// What a second look holds a cluster against.
#[derive(Debug, Clone)]
pub struct Thorough<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// What the spec says of every node.
    pub nodes: BTreeMap<String, ExpectedNode>,
    /// Recorded DaemonSets and Deployments, as kind, namespace and name.
    pub workloads: BTreeSet<(String, String, String)>,
    /// The owner's pod network is not there yet: what needs one is told and fails nothing.
    pub waits_for_network: bool,
    /// The pod network that ignores policies; `None` where it is the owner's, and may do anything.
    pub ignores_policies: Option<&'static str>,
    /// The time.
    pub now: Timestamp,
}

/// Fetches and judges what a first look, which found this `summary`, does not: all of it costs as many requests in a large
/// cluster as in a small one.
pub async fn thorough(
    connections: &Connections,
    access: &Secret,
    summary: &ClusterSummary,
    wanted: &Thorough<'_>,
) -> Result<Vec<Finding>, ApiError> {
    let connection = connections.open(access)?;
    let mut found = Vec::new();
    for (kind, path) in ROLLED_OUT {
        let objects = connection.list(path, &[]).await?;
        // What a DaemonSet of ours runs is on the machines' own network.
        let fails = !wanted.waits_for_network || kind == "DaemonSet";
        let unfinished = objects.iter().filter_map(|object| not_rolled_out(kind, object));
        found.extend(unfinished.map(|finding| Finding { fails, ..finding }));
        found.extend(missing(kind, &objects, wanted).into_iter().map(|finding| Finding { fails, ..finding }));
    }
    found.extend(static_pods::missing(summary, wanted));
    let expected = summary.nodes.iter().filter_map(|node| Some((node, wanted.nodes.get(&node.name)?)));
    found.extend(expected.flat_map(|(node, expected)| unlike_the_spec(wanted.cluster, node, expected)));
    let requests = connection.list(REQUESTS, &[]).await?;
    found.extend(wanted.nodes.keys().filter_map(|node| open_request(&requests, node, wanted)));
    if let Some(network) = wanted.ignores_policies {
        found.extend(ignored(network, &connection.list(POLICIES, &[]).await?));
    }
    Ok(found)
}

/// Workloads of ours that somebody deleted.
fn missing(kind: &str, objects: &[Value], wanted: &Thorough<'_>) -> Vec<Finding> {
    let is_there = |namespace: &str, name: &str| {
        objects.iter().any(|it| text(it, "/metadata/namespace") == namespace && text(it, "/metadata/name") == name)
    };
    let of_kind = wanted.workloads.iter().filter(|(its_kind, ..)| its_kind == kind);
    let gone = of_kind.filter(|(_, namespace, name)| !is_there(namespace, name));
    let finding = |(kind, namespace, name): &(String, String, String)| Finding {
        subject: format!("{}/{namespace}/{name}", kind.to_lowercase()),
        problem: "is not there".to_owned(),
        hint: Some(format!("`kubewright update cluster {} --yes` makes it anew", wanted.cluster)),
        fails: true,
    };
    gone.map(finding).collect()
}

/// An object of ours that does not do its job.
fn not_rolled_out(kind: &str, object: &Value) -> Option<Finding> {
    if text(object, OWNER).is_empty() {
        return None;
    }
    // Items of a list do not say their kind.
    let mut object = object.clone();
    object.as_object_mut()?.insert("kind".to_owned(), json!(kind));
    let problem = match rollout(&object) {
        Rollout::Done => return None,
        Rollout::Waiting(what) => what,
        Rollout::Failed(why) => format!("gave up: {why}"),
    };
    let (resource, name, namespace) =
        (kind.to_lowercase(), text(&object, "/metadata/name"), text(&object, "/metadata/namespace"));
    let (subject, hint) = if namespace.is_empty() {
        (format!("{resource}/{name}"), format!("`kubectl describe {resource} {name}`"))
    } else {
        let hint = format!("`kubectl --namespace {namespace} describe {resource} {name}`");
        (format!("{resource}/{namespace}/{name}"), hint)
    };
    Some(Finding { subject, problem, hint: Some(hint), fails: true })
}

/// What a node reports of itself that the spec says otherwise.
fn unlike_the_spec(cluster: &str, node: &NodeSummary, expected: &ExpectedNode) -> Vec<Finding> {
    let differs = |what: &str, is: &str, wanted: &str| (is != wanted).then(|| format!("{what} is {is}, not {wanted}"));
    let role = match (node.roles.iter().any(|role| role == CONTROL_PLANE), expected.control_plane) {
        (true, false) => Some("has the control plane's role, but is a worker in the spec".to_owned()),
        (false, true) => Some("lacks the control plane's role".to_owned()),
        _ => None,
    };
    let problems = [
        differs("its kubelet", &node.kubelet, &expected.kubelet),
        differs("its container runtime", &node.runtime, &expected.runtime),
        role,
    ];
    let hint = Some(format!("`kubewright update cluster {cluster}` shows what it would change"));
    let finding =
        |problem| Finding { subject: format!("node/{}", node.name), problem, hint: hint.clone(), fails: true };
    problems.into_iter().flatten().map(finding).collect()
}

/// A node's request for a serving certificate that nobody has answered, where none that came later was.
fn open_request(requests: &[Value], node: &str, wanted: &Thorough<'_>) -> Option<Finding> {
    let mut own = csr::of_node(requests, node);
    own.sort_by_key(|request| text(request, "/metadata/creationTimestamp"));
    let last = own.last().filter(|last| csr::stage(last) == Stage::Pending)?;
    let (name, since) = (text(last, "/metadata/name"), text(last, "/metadata/creationTimestamp"));
    let age = since.parse().map(|since| format!(" ({})", age(since, wanted.now))).unwrap_or_default();
    Some(Finding {
        subject: format!("certificatesigningrequest/{name}"),
        problem: format!("the kubelet of {node} waits for a serving certificate since {since}{age}"),
        hint: Some(format!(
            "`kubewright update cluster {} --yes` approves it, if it asks for the node's own names only",
            wanted.cluster
        )),
        fails: true,
    })
}

/// Policies that nobody enforces: who wrote them believes that they hold.
fn ignored(network: &str, policies: &[Value]) -> Option<Finding> {
    let first = policies.first()?;
    let (namespace, name) = (text(first, "/metadata/namespace"), text(first, "/metadata/name"));
    let is = match policies.len() - 1 {
        0 => "is".to_owned(),
        more => format!("and {more} more are"),
    };
    Some(Finding {
        subject: format!("networkpolicy/{namespace}/{name}"),
        problem: format!("{is} not enforced: {network} ignores NetworkPolicies"),
        hint: Some("clusters whose network enforces them are made with `networking.cni: none`".to_owned()),
        fails: false,
    })
}

/// For how long something is there, in the largest unit that there is one of.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match (seconds / 86_400, seconds / 3_600, seconds / 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, _) => format!("{hours} h"),
        (days, ..) => format!("{days} d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csr::samples::request_of;
    use crate::world::World;

    fn expected(waits_for_network: bool) -> Thorough<'static> {
        let node =
            ExpectedNode { kubelet: "v1.36.3".into(), runtime: "containerd://2.2.1".into(), control_plane: false };
        let nodes = BTreeMap::from([("w-1".to_owned(), node)]);
        Thorough {
            cluster: "demo",
            nodes,
            workloads: BTreeSet::new(),
            waits_for_network,
            ignores_policies: Some("flannel"),
            now: "2026-01-01T02:59:00Z".parse().unwrap(),
        }
    }

    fn node(kubelet: &str, labels: Value) -> Value {
        let info = json!({"kubeletVersion": kubelet, "containerRuntimeVersion": "containerd://2.2.1"});
        json!({"metadata": {"name": "w-1", "labels": labels}, "status": {"nodeInfo": info}})
    }

    async fn findings(world: &World) -> Vec<String> {
        let nodes = super::super::nodes(&world.connections, &World::access()).await.unwrap();
        let summary = ClusterSummary { nodes, ..ClusterSummary::default() };
        let found = thorough(&world.connections, &World::access(), &summary, &expected(false)).await.unwrap();
        found.iter().map(|found| format!("{} {}", found.subject, found.problem)).collect()
    }

    #[tokio::test]
    async fn a_node_that_is_as_the_spec_says_is_no_finding() {
        let world = World::new();
        world.fake.state().put("/api/v1/nodes/w-1", node("v1.36.3", json!({})));
        assert!(findings(&world).await.is_empty());
    }

    #[test]
    fn a_workload_that_was_made_and_is_not_there_is_found() {
        let wanted = |name: &str| ("DaemonSet".to_owned(), "kube-flannel".to_owned(), name.to_owned());
        let workloads = BTreeSet::from([wanted("there"), wanted("gone")]);
        let wanted = Thorough { workloads, ..expected(false) };
        let there = [json!({"metadata": {"namespace": "kube-flannel", "name": "there"}})];
        let found = missing("DaemonSet", &there, &wanted);
        let subjects: Vec<&str> = found.iter().map(|finding| finding.subject.as_str()).collect();
        assert_eq!(subjects, ["daemonset/kube-flannel/gone"]);
        assert!(missing("Deployment", &there, &wanted).is_empty());
    }

    #[tokio::test]
    async fn a_node_of_another_version_or_role_is_found() {
        let world = World::new();
        let labels = json!({"node-role.kubernetes.io/control-plane": ""});
        world.fake.state().put("/api/v1/nodes/w-1", node("v1.35.0", labels));
        assert_eq!(
            findings(&world).await,
            [
                "node/w-1 its kubelet is v1.35.0, not v1.36.3",
                "node/w-1 has the control plane's role, but is a worker in the spec",
            ]
        );
    }

    #[tokio::test]
    async fn a_daemon_set_of_ours_that_lacks_pods_is_found_and_somebody_elses_is_not() {
        let world = World::new();
        let set = |name: &str, annotations: Value| {
            let status = json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2});
            json!({"metadata": {"name": name, "namespace": "kube-system", "annotations": annotations}, "status": status})
        };
        {
            let mut state = world.fake.state();
            let ours = json!({"kubewright.io/owner": "x"});
            state.put("/apis/apps/v1/daemonsets/kube-proxy", set("kube-proxy", ours.clone()));
            state.put("/apis/apps/v1/daemonsets/theirs", set("theirs", json!({})));
            let unavailable = json!([{"type": "Available", "status": "False", "message": "no endpoints"}]);
            let api = json!({"metadata": {"name": "v1beta1.metrics.k8s.io", "annotations": ours},
                "status": {"conditions": unavailable}});
            state.put("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", api);
        }
        assert_eq!(
            findings(&world).await,
            [
                "daemonset/kube-system/kube-proxy 2 of 3 pods available",
                "apiservice/v1beta1.metrics.k8s.io not Available yet: no endpoints",
            ]
        );
    }

    #[tokio::test]
    async fn without_a_pod_network_a_deployment_of_ours_is_told_and_fails_nothing() {
        let world = World::new();
        let ours = json!({"kubewright.io/owner": "x"});
        let deployment = json!({
            "metadata": {"name": "coredns", "namespace": "kube-system", "annotations": ours}, "spec": {"replicas": 2},
            "status": {"replicas": 2, "updatedReplicas": 2, "conditions": [
                {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"},
            ]},
        });
        world.fake.state().put("/apis/apps/v1/deployments/coredns", deployment);
        let set = json!({
            "metadata": {"name": "kube-proxy", "namespace": "kube-system", "annotations": ours},
            "status": {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3},
        });
        world.fake.state().put("/apis/apps/v1/daemonsets/kube-proxy", set);
        for waits in [true, false] {
            let found = thorough(&world.connections, &World::access(), &ClusterSummary::default(), &expected(waits))
                .await
                .unwrap();
            let fails: Vec<_> = found.iter().map(|found| (found.subject.as_str(), found.fails)).collect();
            assert_eq!(fails, [("daemonset/kube-system/kube-proxy", true), ("deployment/kube-system/coredns", !waits)]);
        }
    }

    #[tokio::test]
    async fn policies_that_the_network_ignores_are_told_and_fail_nothing() {
        let world = World::new();
        let policy = |name: &str| json!({"metadata": {"name": name, "namespace": "default"}});
        for name in ["deny", "more"] {
            world.fake.state().put(&format!("{POLICIES}/{name}"), policy(name));
        }
        let told = "networkpolicy/default/deny and 1 more are not enforced: flannel ignores NetworkPolicies";
        assert_eq!(findings(&world).await, [told]);
        let found =
            thorough(&world.connections, &World::access(), &ClusterSummary::default(), &expected(false)).await.unwrap();
        assert!(!found[0].fails);
        let owners = Thorough { ignores_policies: None, ..expected(false) };
        assert!(
            thorough(&world.connections, &World::access(), &ClusterSummary::default(), &owners)
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn a_request_for_a_serving_certificate_that_waits_is_found_unless_a_later_one_was_answered() {
        let world = World::new();
        let request = |name: &str, time: &str| {
            let mut request = request_of("w-1", &["w-1"]);
            request["metadata"] = json!({"name": name, "creationTimestamp": time});
            request
        };
        world.fake.state().put(&format!("{REQUESTS}/csr-1"), request("csr-1", "2026-01-01T00:00:00Z"));
        assert_eq!(
            findings(&world).await,
            [concat!(
                "certificatesigningrequest/csr-1 ",
                "the kubelet of w-1 waits for a serving certificate since 2026-01-01T00:00:00Z (2 h)"
            )]
        );
        let mut later = request("csr-2", "2026-01-02T00:00:00Z");
        later["status"] = json!({"conditions": [{"type": "Approved", "status": "True"}]});
        world.fake.state().put(&format!("{REQUESTS}/csr-2"), later);
        assert!(findings(&world).await.is_empty());
    }
}
