//! Is the cluster healthy: nodes, system pods, and an answer from DNS on every machine.

pub(crate) mod thorough;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use engine::{ObserveContext as _, Output};
use futures::future::try_join_all;
use machine::Gate;
use model::{Resolved, ids};
use objects::validate::{self, Finding};
use resource::{Reference, Secret};

use crate::compose::Composition;
use crate::error::CommandError;
use crate::operation::Operation;
use crate::reach;

/// How long DNS may take after everything was applied: images are there, so this is start-up time.
const DNS_PATIENCE_SECONDS: u64 = 180;

/// How long nodes and system pods may take after DNS answers.
const SETTLING: Duration = Duration::from_mins(2);

/// Asks the cluster's DNS for the API's name on every machine, all at once.
pub(crate) async fn probe_dns(
    composition: &Composition,
    operation: &Operation<'_>,
    resolved: &Resolved,
) -> Result<(), CommandError> {
    let Some(gate) = dns_gate(resolved, DNS_PATIENCE_SECONDS) else { return Ok(()) };
    let probes = resolved.machines.iter().map(|machine| {
        let gate = gate.clone();
        async move {
            let target = reach::target(operation, resolved, machine)?;
            composition.hosts.run_gates(&target, vec![gate]).await.map_err(|error| {
                CommandError::from_source(&format!("{} gets no answer from cluster DNS", machine.name), &error)
                    .hint("kubectl -n kube-system get pods -o wide")
                    .hint("kubectl -n kube-flannel logs ds/kube-flannel-ds")
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
pub(crate) async fn findings(
    composition: &Composition,
    operation: &Operation<'_>,
    resolved: &Resolved,
    wait: Duration,
) -> Result<Vec<Finding>, CommandError> {
    let access = access(operation, resolved)?;
    let expected: BTreeSet<String> = resolved.machines.iter().map(|machine| machine.name.clone()).collect();
    let until = Instant::now() + wait;
    loop {
        let found = validate::cluster_health(&composition.connections, &access, &expected).await;
        let settled = found.as_ref().is_ok_and(Vec::is_empty);
        if settled || Instant::now() >= until {
            return found.map_err(|error| CommandError::from_source("the API does not answer", &error));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Waits until nothing is wrong with the cluster any more; what still is then is said.
pub(crate) async fn settle(
    composition: &Composition,
    operation: &Operation<'_>,
    resolved: &Resolved,
) -> Result<(), CommandError> {
    let found = findings(composition, operation, resolved, SETTLING).await?;
    if found.is_empty() {
        return Ok(());
    }
    let mut error = CommandError::failed("all changes are carried out, but the cluster is not healthy");
    error.output = found.iter().map(|finding| format!("{}: {}", finding.subject, finding.problem)).collect();
    error.hints = found.into_iter().filter_map(|finding| finding.hint).collect();
    error.hints.dedup();
    Err(error.hint(format!("look again with: kubewright validate cluster {} --wait 5m", resolved.name())))
}

/// How to reach the cluster's API.
pub(crate) fn access(operation: &Operation<'_>, resolved: &Resolved) -> Result<Secret, CommandError> {
    let reference = Reference::new(ids::cluster(resolved.name()), "access");
    match operation.outputs.output(&reference) {
        Ok(Output::Secret(access)) => Ok(access),
        _ => Err(CommandError::failed(format!("cluster {} has not been made yet", resolved.name()))
            .hint(format!("kubewright update cluster {} --yes", resolved.name()))),
    }
}
