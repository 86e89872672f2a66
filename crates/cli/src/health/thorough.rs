//! Everything that `validate` looks at: what a run waits for, and what only somebody who asks wants to know.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;
use objects::ApiError;
use objects::validate::{self, ExpectedNode, Finding, Thorough};
use reconcile::OpenCluster;
use resource::ResourceId;
use spec::{Cni, Role};

use super::{access, certificates, dns_gate, etcd, kubelets, no_answer, own_network};
use crate::error::CommandError;
use crate::open::Open;
use crate::{power, reach};

/// How long DNS may take where everything is long up.
const DNS_PATIENCE_SECONDS: u64 = 5;

/// How often and how long a cluster is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HealthOptions {
    /// Until when what is wrong may go away.
    pub(crate) wait: Duration,
    /// Between two looks.
    pub(crate) interval: Duration,
    /// Looks in a row that must find nothing.
    pub(crate) count: u32,
}

/// The API does not answer: of a stopped cluster nothing else is to be expected.
fn unanswered(error: &ApiError, cluster: &OpenCluster) -> CommandError {
    let failed = no_answer(error);
    match power::start_hint(&cluster.loaded, cluster.store.name()) {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// What is wrong with a cluster; empty when nothing was in as many looks in a row as are asked for.
pub(crate) async fn check(open: &Open, looks: HealthOptions) -> Result<Vec<Finding>, CommandError> {
    let until = Instant::now() + looks.wait;
    let mut healthy = 0;
    loop {
        let found = once(open).await;
        healthy = if found.as_ref().is_ok_and(|found| validate::is_healthy(found)) { healthy + 1 } else { 0 };
        if healthy >= looks.count || (healthy == 0 && Instant::now() >= until) {
            return found;
        }
        tokio::time::sleep(looks.interval).await;
    }
}

async fn once(open: &Open) -> Result<Vec<Finding>, CommandError> {
    let Open { cluster, resolved, composition } = open;
    let (connections, access) = (&composition.connections, access(cluster, resolved)?);
    let summary = validate::fetch(connections, &access).await.map_err(|error| unanswered(&error, cluster))?;
    let judged_by = super::expected(resolved);
    let mut found = validate::findings(&summary, &judged_by);
    let thorough = Thorough {
        cluster: resolved.name(),
        nodes: expected(open),
        workloads: cluster.loaded.state.resources.keys().filter_map(workload).collect(),
        waits_for_network: validate::waits_for_network(&summary.nodes, &judged_by),
        ignores_policies: (resolved.cluster.spec.networking.cni == Cni::Flannel).then_some("flannel"),
        now: Timestamp::now(),
    };
    let more = validate::thorough(connections, &access, &summary, &thorough).await;
    found.extend(more.map_err(|error| unanswered(&error, cluster))?);
    validate::add_last_events(connections, &access, &mut found, thorough.now).await;
    found.extend(certificates::findings(&cluster.loaded.state.resources, resolved.name(), thorough.now));
    let (members, kubelets, dns) =
        tokio::join!(etcd::findings(open), kubelets::findings(open, thorough.now), dns(open));
    found.extend(members);
    found.extend(kubelets);
    found.extend(dns);
    Ok(found)
}

/// Kind, namespace and name of an object `object/GROUP/VERSION/KIND/NAMESPACE/NAME`.
fn workload(id: &ResourceId) -> Option<(String, String, String)> {
    let parts: Vec<&str> = id.name().split('/').filter(|_| id.kind() == "object").collect();
    let [_, _, kind, namespace, name] = parts[..] else { return None };
    Some((kind.to_owned(), namespace.to_owned(), name.to_owned()))
}

/// What the spec says of every node.
fn expected(open: &Open) -> BTreeMap<String, ExpectedNode> {
    let resolved = &open.resolved;
    let node = |role| ExpectedNode {
        kubelet: format!("v{}", resolved.cluster.spec.kubernetes_version.trim_start_matches('v')),
        runtime: format!("containerd://{}", resolved.release.containerd),
        control_plane: role == Role::ControlPlane,
    };
    resolved.machines.iter().map(|machine| (machine.name.clone(), node(machine.role))).collect()
}

/// Machines that get no answer from the cluster's DNS.
async fn dns(open: &Open) -> Vec<Finding> {
    // Where the owner brings the pod network, DNS is his to bring up.
    if own_network(&open.resolved) {
        return Vec::new();
    }
    let Some(gate) = dns_gate(&open.resolved, DNS_PATIENCE_SECONDS) else { return Vec::new() };
    let asked = open.resolved.machines.iter().map(|machine| {
        let gate = gate.clone();
        async move {
            let problem = match reach::target(&open.cluster, &open.resolved, machine) {
                Ok(target) => open.composition.hosts.run_gates(&target, vec![gate]).await.err()?.to_string(),
                Err(error) => error.message,
            };
            Some(Finding {
                subject: format!("node/{}", machine.name),
                problem: format!("gets no answer from cluster DNS: {problem}"),
                hint: Some("`kubectl --namespace kube-system get pods --output wide`".to_owned()),
                fails: true,
            })
        }
    });
    join_all(asked).await.into_iter().flatten().collect()
}
