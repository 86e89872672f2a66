//! Is the cluster healthy: nodes, system pods, and an answer from DNS on every machine.

mod certificates;
mod etcd;
mod kubelets;
pub(crate) mod thorough;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use engine::{ObserveContext as _, Output};
use futures::future::try_join_all;
use hosts::AgentError;
use jiff::Timestamp;
use machine::Gate;
use model::{Resolved, ids};
use objects::ApiError;
use objects::validate::{self, Expected, Finding};
use reconcile::OpenCluster;
use resource::{Reference, Secret};
use spec::Cni;

use crate::app::App;
use crate::compose::Composition;
use crate::error::CommandError;
use crate::reach;

/// How long DNS may take after everything was applied: images are there, so this is start-up time.
const DNS_PATIENCE_SECONDS: u64 = 180;

/// How long nodes and system pods may take after DNS answers.
const SETTLING: Duration = Duration::from_mins(2);

/// Asks the cluster's DNS for the API's name on every machine, all at once.
async fn probe_dns(composition: &Composition, cluster: &OpenCluster, resolved: &Resolved) -> Result<(), CommandError> {
    let Some(gate) = dns_gate(resolved, DNS_PATIENCE_SECONDS) else { return Ok(()) };
    let probes = resolved.machines.iter().map(|machine| {
        let gate = gate.clone();
        async move {
            let target = reach::target(cluster, resolved, machine)?;
            composition.hosts.run_gates(&target, vec![gate]).await.map_err(|error| {
                let failed =
                    CommandError::from_source(&format!("{} gets no answer from cluster DNS", machine.name), &error);
                match error {
                    // Something on the machine keeps the cluster from coming up, and the agent knows what to do about it.
                    AgentError::Failed { hint: Some(hint), .. } => failed.hint(hint),
                    _ => failed
                        .hint("kubectl -n kube-system get pods -o wide")
                        .hint("kubectl -n kube-flannel logs ds/kube-flannel-ds"),
                }
            })
        }
    });
    try_join_all(probes).await.map(drop)
}

/// A question to the cluster's DNS; `None` where it has none.
pub(crate) fn dns_gate(resolved: &Resolved, timeout_seconds: u64) -> Option<Gate> {
    let server = resolved.dns_addresses().into_iter().next()?;
    let name = format!("kubernetes.default.svc.{}", resolved.cluster.spec.networking.dns_domain);
    Some(Gate::Dns { server: server.to_string(), name, timeout_seconds })
}

/// Everything that is wrong with a cluster, looked at again and again until nothing is or `wait` is over.
async fn findings(
    composition: &Composition,
    cluster: &OpenCluster,
    resolved: &Resolved,
    expected: &Expected,
    wait: Duration,
) -> Result<Vec<Finding>, CommandError> {
    let access = access(cluster, resolved)?;
    let until = Instant::now() + wait;
    loop {
        let found = validate::cluster_health(&composition.connections, &access, expected).await;
        let settled = found.as_ref().is_ok_and(|found| validate::is_healthy(found));
        if settled || Instant::now() >= until {
            return found.map_err(|error| no_answer(&error));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// What the first look judges a cluster by.
fn expected(resolved: &Resolved) -> Expected {
    let nodes = resolved.machines.iter().map(|machine| machine.name.clone()).collect();
    let unreached = BTreeSet::new();
    Expected { cluster: resolved.name().to_owned(), nodes, unreached, own_network: own_network(resolved) }
}

fn no_answer(error: &ApiError) -> CommandError {
    CommandError::from_source("the API does not answer", error)
}

fn own_network(resolved: &Resolved) -> bool {
    resolved.cluster.spec.networking.cni == Cni::None
}

/// Waits until nothing is wrong with the cluster any more; what still is then is an error, and what is only to be told comes
/// back.
async fn settle(
    composition: &Composition,
    cluster: &OpenCluster,
    resolved: &Resolved,
    unreached: BTreeSet<String>,
) -> Result<Vec<Finding>, CommandError> {
    let expected = Expected { unreached, ..expected(resolved) };
    let found = findings(composition, cluster, resolved, &expected, SETTLING).await?;
    let (mut wrong, told): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(|finding| finding.fails);
    if wrong.is_empty() {
        return Ok(told);
    }
    let access = access(cluster, resolved)?;
    validate::add_last_events(&composition.connections, &access, &mut wrong, Timestamp::now()).await;
    let mut error = CommandError::failed("all changes are carried out, but the cluster is not healthy");
    error.output = wrong.iter().map(|finding| format!("{}: {}", finding.subject, finding.problem)).collect();
    error.hints = wrong.into_iter().filter_map(|finding| finding.hint).collect();
    error.hints.dedup();
    Err(error.hint(format!("look again with: kubewright validate cluster {} --wait 5m", resolved.name())))
}

/// Waits until a cluster is of use, but for the machines that are `unreached`, and tells what there is to tell about it.
pub(crate) async fn wait(
    app: &App,
    composition: &Composition,
    cluster: &OpenCluster,
    resolved: &Resolved,
    unreached: &BTreeSet<String>,
) -> Result<(), CommandError> {
    let mut reached = reach::known(cluster, resolved);
    let all_servers = reached.known_servers();
    reached.machines.retain(|machine| !unreached.contains(&machine.name));
    let (servers, resolved) = (reached.known_servers(), &reached);
    let away = all_servers.into_iter().filter(|server| !servers.contains(server));
    let unreached = unreached.iter().cloned().chain(away).collect();
    if own_network(resolved) {
        app.say("The documents ask for no pod network: until there is one, nodes are NotReady and pods wait.");
    } else {
        let access = access(cluster, resolved)?;
        let dns = async {
            tokio::select! {
                answered = probe_dns(composition, cluster, resolved) => answered,
                () = objects::wake::keep_waking(&composition.connections, &access) => Ok(()),
            }
        };
        app.phase("cluster DNS answers on every machine", dns).await?;
    }
    let settled = settle(composition, cluster, resolved, unreached);
    for finding in app.phase("nodes and system pods ready", settled).await? {
        app.say(format!("  {} {}", finding.subject, finding.problem));
    }
    Ok(())
}

/// How to reach the cluster's API.
pub(crate) fn access(cluster: &OpenCluster, resolved: &Resolved) -> Result<Secret, CommandError> {
    let reference = Reference::new(ids::cluster(resolved.name()), "access");
    match cluster.outputs.output(&reference) {
        Ok(Output::Secret(access)) => Ok(access),
        _ => Err(CommandError::failed(format!("cluster {} has not been made yet", resolved.name()))
            .hint(format!("kubewright update cluster {} --yes", resolved.name()))),
    }
}
