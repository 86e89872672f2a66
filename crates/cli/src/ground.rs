//! Gathers what must be known about the ground before resolving, and keeps what was allocated before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use catalog::Edition;
use engine::{Loaded, Revision, SourceText};
use ipnet::Ipv4Net;
use model::{Allocation, Capacity, Ground};
use provider_local::hold::{self, HeldSubnet};
use provider_local::{HostFacts, HostIdentity, Owner, Resolvers, names, subnet};
use resource::Recorded;
use serde_json::Value;
use spec::Effective;

use crate::app::App;
use crate::compose;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::neighbours::Neighbours;
use crate::{host_context, neighbours, programs, resolving, templates};

/// The ground of a cluster that is being made. Its subnet is nobody else's as long as it is held.
pub(crate) async fn new(
    app: &App,
    name: &str,
    effective: &Effective,
    documents: &[SourceText],
) -> Result<(Ground, HeldSubnet), CommandError> {
    let mut busy = Vec::new();
    let mut said = false;
    loop {
        let Chosen { subnet, unread, .. } = choose(app, name, effective, &busy).await?;
        for why in unread.into_iter().filter(|_| !said) {
            app.say(why);
        }
        said = true;
        let held = hold::hold(subnet).map_err(|error| CommandError::from_source("cannot hold a subnet", &error))?;
        let Some(held) = held else {
            busy.push(subnet);
            continue;
        };
        // Who held it before may have taken it for good since the host was looked at.
        let Chosen { facts, subnet: again, .. } = choose(app, name, effective, &busy).await?;
        if again == subnet {
            for text in
                host_context::said(&facts, subnet, effective).into_iter().chain(host_context::size_remarks(effective))
            {
                app.say(text);
            }
            return Ok((on_subnet(app, name, subnet, &facts, effective, documents)?, held));
        }
    }
}

/// A subnet that is free, and what was seen on the way to it.
struct Chosen {
    facts: HostFacts,
    subnet: Ipv4Net,
    /// What there is to say about neighbours that could not be read.
    unread: Vec<String>,
}

/// Looks at the host, and finds a subnet on it that is neither taken nor `busy`.
async fn choose(app: &App, name: &str, effective: &Effective, busy: &[Ipv4Net]) -> Result<Chosen, CommandError> {
    let facts = compose::local_provider(app).facts().await?;
    let Neighbours { subnets: mut taken, unread } = neighbours::look(&app.store, name).await?;
    taken.extend(busy);
    let subnet = if let Some(wanted) = effective.cluster.spec.local.subnet {
        checked(name, wanted, &facts, &taken)?
    } else {
        taken.extend(host_context::ranges(effective));
        subnet::choose(&facts, &taken).ok_or_else(|| {
            CommandError::failed(subnet::NONE_FREE).hint("name one in spec.local.subnet of the Cluster document")
        })?
    };
    Ok(Chosen { facts, subnet, unread })
}

fn on_subnet(
    app: &App,
    name: &str,
    subnet: Ipv4Net,
    facts: &HostFacts,
    effective: &Effective,
    documents: &[SourceText],
) -> Result<Ground, CommandError> {
    let ground = Ground {
        local: Allocation::new(names::bridge_name(name), subnet),
        programs: programs::digests(),
        cgroup_v1: !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists(),
        edition: effective.cluster.spec.edition.unwrap_or(Edition::NEWEST),
        resolvers: facts.resolvers.reachable.iter().copied().map(IpAddr::V4).collect(),
        loopback_resolver: facts.resolvers.loopback,
        host: here(app)?,
        capacity: host_context::capacity(),
        templates: templates::texts(effective, documents, &BTreeMap::new())?,
    };
    with_machines(ground, effective)
}

/// The stored ground, with addresses for machines that are new, own templates and this kubewright's own programs.
///
/// `known` templates are not read again, and neither are the stored ones.
pub(crate) fn stored(
    app: &App,
    name: &str,
    loaded: &Loaded,
    effective: &Effective,
    documents: &[SourceText],
    mut known: BTreeMap<String, String>,
) -> Result<Ground, CommandError> {
    let stored = read(&loaded.revision)?;
    known.extend(stored.templates.clone());
    allocated(effective.cluster.spec.local.subnet, stored.local.subnet)?;
    let templates = templates::texts(effective, documents, &known)?;
    let host = host(app, name, loaded, stored.host.clone())?;
    let stored =
        if host == here(app)? { host_context::with_resolvers(stored, &Resolvers::of_this_host()) } else { stored };
    let stored = in_edition(stored, effective.cluster.spec.edition, host_context::capacity);
    with_machines(Ground { programs: programs::digests(), templates, host, ..stored }, effective)
}

/// Refuses to work on machines that cannot be seen from here: they live elsewhere, or their network's name is taken by
/// another state's cluster.
pub(crate) async fn at_home(app: &App, name: &str, loaded: &Loaded) -> Result<(), CommandError> {
    let ground = read(&loaded.revision)?;
    let here = HostIdentity::here(&app.machines());
    let home = ground.host.as_ref().and_then(identity).filter(|_| is_made(loaded));
    if let Some(why) = home.and_then(|home| home.elsewhere(&here, &owner(name, loaded))) {
        return Err(CommandError::failed(format!("cluster {name} cannot be worked on from here: {why}"))
            .exit(Exit::Refused)
            .hint("run the command there, as the same user and with the same XDG_STATE_HOME"));
    }
    let recorded = loaded.state.resources.contains_key(&model::ids::network(name));
    match foreign(app, name, &loaded.head.lineage, &ground.local.bridge, recorded).await? {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// The refusal where a cluster's bridge is another owner's on this host. `recorded`: our state knows the bridge.
pub(crate) async fn foreign(
    app: &App,
    name: &str,
    lineage: &str,
    bridge: &str,
    recorded: bool,
) -> Result<Option<CommandError>, CommandError> {
    let finding = compose::local_provider(app).foreign(name, lineage, bridge, recorded).await?;
    Ok(finding.map(|finding| {
        let error = CommandError::failed(format!("cluster {name} cannot live on this host: {}", finding.why));
        let error = error.exit(Exit::Refused);
        match finding.command {
            Some(command) => error.hint(format!("see: {command}")),
            None => error,
        }
    }))
}

/// A cluster's record with what is known of its lineage by now: release 0.1 recorded none, and a machine that was made since
/// lies where only the lineage leads.
pub(crate) async fn with_lineage(app: &App, name: &str, mut loaded: Loaded) -> Result<Loaded, CommandError> {
    let lineage = loaded.head.lineage.clone();
    let unnamed = |recorded: &Recorded| recorded.inputs.is_object() && recorded.inputs.get("lineage").is_none();
    if loaded.state.resources.iter().any(|(id, recorded)| id.kind() == provider_local::MACHINE && unnamed(recorded)) {
        for id in compose::local_provider(app).marked_of(name, &lineage).await?.into_keys() {
            if let Some(recorded) = loaded.state.resources.get_mut(&id).filter(|recorded| unnamed(recorded)) {
                recorded.inputs["lineage"] = lineage.clone().into();
            }
        }
    }
    Ok(loaded)
}

/// A cluster's record with what carries its marker on this host and is not in it: such as what `state forget` left. A delete
/// that did not know it would leave machines behind that no state knows any more.
pub(crate) async fn with_unrecorded(app: &App, name: &str, mut loaded: Loaded) -> Result<Loaded, CommandError> {
    let marked = compose::local_provider(app).marked_of(name, &loaded.head.lineage).await?;
    let network = model::ids::network(name);
    for (id, attributes) in
        marked.into_iter().filter(|(id, _)| !loaded.state.resources.contains_key(id)).collect::<Vec<_>>()
    {
        let inputs = if id == network { network_inputs(app, name, &loaded)? } else { attributes };
        let below = if id == network { BTreeSet::new() } else { BTreeSet::from([network.clone()]) };
        app.say(format!("{id} is marked as this cluster's, although its record does not know it: it is deleted, too."));
        loaded.state.resources.insert(id, Recorded { depends_on: below, ..Recorded::of_inputs(1, inputs) });
    }
    Ok(loaded)
}

/// What the documents say of a cluster's network.
fn network_inputs(app: &App, name: &str, loaded: &Loaded) -> Result<Value, CommandError> {
    let (resolved, _) = resolving::stored(app, name, loaded)?;
    let desired = resolving::build(&resolved)?;
    Ok(desired.get(&model::ids::network(name)).map(|network| network.inputs.clone()).unwrap_or_default())
}

fn here(app: &App) -> Result<Option<Value>, CommandError> {
    serde_json::to_value(HostIdentity::here(&app.machines()))
        .map(Some)
        .map_err(|error| CommandError::from_source("cannot keep the host's identity", &error))
}

fn owner(name: &str, loaded: &Loaded) -> Owner {
    Owner::new(&loaded.head.lineage, name)
}

fn identity(host: &Value) -> Option<HostIdentity> {
    serde_json::from_value(host.clone()).ok()
}

/// The host of a stored cluster: the one that was kept, or this one where nothing speaks against it.
fn host(app: &App, name: &str, loaded: &Loaded, kept: Option<Value>) -> Result<Option<Value>, CommandError> {
    if !is_made(loaded) {
        return here(app);
    }
    let here = HostIdentity::here(&app.machines());
    let has_moved_here = match kept.as_ref().and_then(identity) {
        // A host may have a better id by now than the one it was known by.
        Some(home) if home.is_same_place(&here) => home.machine_id != here.machine_id,
        Some(home) => home.elsewhere(&here, &owner(name, loaded)).is_none(),
        // Release 0.1 kept none: machines that were made, but not here, are somewhere else.
        None => provider_local::has_machines(&app.machines(), &owner(name, loaded)),
    };
    if has_moved_here { self::here(app) } else { Ok(kept) }
}

/// Whether something of a cluster was made on a host. Documents alone live nowhere: whoever makes them real gives them a home.
fn is_made(loaded: &Loaded) -> bool {
    loaded.state.resources.keys().any(|id| [provider_local::MACHINE, provider_local::NETWORK].contains(&id.kind()))
}

/// Own templates of a revision, by digest.
pub(crate) fn templates(revision: &Revision) -> Result<BTreeMap<String, String>, CommandError> {
    Ok(read(revision)?.templates)
}

fn read(revision: &Revision) -> Result<Ground, CommandError> {
    serde_json::from_value(revision.ground.clone())
        .map_err(|error| CommandError::from_source("the stored ground facts cannot be read", &error))
}

/// Refuses another subnet than the one that was allocated: machines and certificates may have addresses in it.
fn allocated(wanted: Option<Ipv4Net>, subnet: Ipv4Net) -> Result<(), CommandError> {
    match wanted.filter(|wanted| *wanted != subnet) {
        None => Ok(()),
        Some(wanted) => Err(CommandError::failed(format!(
            "spec.local.subnet: the cluster was given {subnet}, which cannot become {wanted}"
        ))
        .exit(Exit::InvalidSpec)
        .hint(format!("set it back to {subnet}, or delete the cluster and create it anew"))),
    }
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

/// The ground in the edition that is asked for. It stays in it when nobody asks any more. A newer one may reserve what of the host
/// is not a machine's, so the host's size is found out where that was never done.
fn in_edition(ground: Ground, wanted: Option<Edition>, capacity: fn() -> Option<Capacity>) -> Ground {
    let edition = wanted.unwrap_or(ground.edition);
    let raised = edition > ground.edition;
    let capacity = ground.capacity.or_else(|| raised.then(capacity).flatten());
    Ground { edition, capacity, ..ground }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cluster_keeps_its_edition_until_it_is_asked_to_take_another_one() {
        let size = || Some(Capacity { memory: 1, processors: 1 });
        let old = json!({
            "local": {"bridge": "b", "subnet": "10.0.0.0/24", "addresses": {}},
            "programs": {}, "cgroupV1": false, "resolvers": [],
        });
        let old: Ground = serde_json::from_value(old).unwrap();
        assert_eq!((old.edition, old.capacity), (Edition::V1, None), "what the release before stored");
        assert_eq!(in_edition(old.clone(), None, size), old);
        let asked = in_edition(old, Some(Edition::V2), size);
        assert_eq!((asked.edition, asked.capacity), (Edition::V2, size()));
        assert_eq!(in_edition(asked.clone(), None, size), asked);
        assert_eq!(in_edition(asked, Some(Edition::V1), size).edition, Edition::V1);
    }

    #[test]
    fn a_subnet_that_was_given_is_kept() {
        let given = "10.88.0.0/24".parse().unwrap();
        assert!(allocated(None, given).is_ok() && allocated(Some(given), given).is_ok());
        let refused = allocated("10.99.0.0/24".parse().ok(), given).unwrap_err();
        assert_eq!(refused.exit, Exit::InvalidSpec);
    }
}
