//! Gathers what must be known about the ground before resolving, and keeps what was allocated before.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine::Loaded;
use ipnet::Ipv4Net;
use model::{Allocation, Ground};
use provider_local::{HostFacts, names, subnet};
use spec::Effective;

use crate::app::App;
use crate::compose;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::programs;

/// The ground of a cluster that is being made.
pub(crate) async fn new(app: &App, name: &str, effective: &Effective) -> Result<Ground, CommandError> {
    let facts = compose::local_provider(app).facts().await?;
    let taken = taken_subnets(app, name).await?;
    let subnet = match effective.cluster.spec.local.subnet {
        Some(wanted) => checked(name, wanted, &facts, &taken)?,
        None => subnet::choose(&facts, &taken).ok_or_else(|| {
            CommandError::failed("no subnet of 10.88.0.0/16 is free on this host")
                .hint("name one in spec.local.subnet of the Cluster document")
        })?,
    };
    let local = Allocation::new(names::bridge_name(name), subnet);
    let ground = Ground {
        local,
        programs: programs::digests()?,
        cgroup_v1: !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists(),
        resolvers: facts.resolvers.iter().copied().map(IpAddr::V4).collect(),
    };
    with_machines(ground, effective)
}

/// The stored ground, with addresses for machines that are new and this kubewright's own programs.
pub(crate) fn stored(loaded: &Loaded, effective: &Effective) -> Result<Ground, CommandError> {
    let stored: Ground = serde_json::from_value(loaded.revision.ground.clone())
        .map_err(|error| CommandError::from_source("the stored ground facts cannot be read", &error))?;
    with_machines(Ground { programs: programs::digests()?, ..stored }, effective)
}

fn with_machines(ground: Ground, effective: &Effective) -> Result<Ground, CommandError> {
    let names: Vec<String> = effective.groups.iter().flat_map(model::resolved::machine_names).collect();
    let subnet = ground.local.subnet;
    let local = ground.local.with_machines(names.iter().map(String::as_str)).ok_or_else(|| {
        CommandError::failed(format!("subnet {subnet} has no room for {} machines", names.len()))
            .exit(Exit::InvalidSpec)
            .hint("make the groups smaller, or create the cluster anew with a larger spec.local.subnet")
    })?;
    Ok(Ground { local, ..ground })
}

fn checked(name: &str, wanted: Ipv4Net, facts: &HostFacts, taken: &[Ipv4Net]) -> Result<Ipv4Net, CommandError> {
    let findings = subnet::check(name, wanted, facts, taken);
    let Some(finding) = findings.first() else { return Ok(wanted) };
    let error = CommandError::failed(format!("spec.local.subnet: {}: {}", finding.object, finding.why));
    let error = match &finding.command {
        Some(command) => error.hint(format!("see: {command}")),
        None => error,
    };
    Err(error.exit(Exit::InvalidSpec))
}

/// Subnets of all other clusters in the store.
async fn taken_subnets(app: &App, name: &str) -> Result<Vec<Ipv4Net>, CommandError> {
    let mut taken = BTreeMap::new();
    for other in app.store.clusters().await? {
        if other == name {
            continue;
        }
        if let Some(loaded) = app.cluster(&other).load().await?
            && let Ok(ground) = serde_json::from_value::<Ground>(loaded.revision.ground)
        {
            taken.insert(other, ground.local.subnet);
        }
    }
    Ok(taken.into_values().collect())
}
