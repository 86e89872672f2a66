//! The handler of the kinds `network` and `machine`, and what the CLI asks beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use engine::{
    ActionContext, ActionError, Applied, AssetFiles, ErrorClass, Handler, ObserveContext, ObserveRequest, Output,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use plan::{Change, Operation};
use provider::Finding;
use resource::{KindSchema, Observation, Recorded, Reference, ResourceId, Secret};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cgroup::Layout;
use crate::inputs::{MACHINE, MachineInputs, NETWORK, NetworkInputs};
use crate::machine::{self, Home, Keys, Machine, Wanted};
use crate::marked::{self, Marked};
use crate::owner::{self, HostIdentity, Owner};
use crate::{HostFacts, LocalError, PreflightInput, network, preflight, schema, unmoved};

/// Makes, observes and removes networks and machines on this host.
#[derive(Clone)]
pub struct LocalProvider {
    root: PathBuf,
    assets: Arc<dyn AssetFiles>,
}

impl LocalProvider {
    /// A provider that keeps machines below `root` (`<state>/machines`), an absolute path on the asset cache's file system.
    pub fn new(root: PathBuf, assets: Arc<dyn AssetFiles>) -> Self {
        Self { root, assets }
    }

    /// Facts about this host that resolving a local cluster needs.
    pub async fn facts(&self) -> Result<HostFacts, ActionError> {
        Ok(blocking(HostFacts::gather).await?)
    }

    /// Everything that stands in the way of `input` on this host; empty where nothing does. Changes nothing.
    pub async fn obstacles(&self, input: &PreflightInput) -> Vec<Finding> {
        let (input, root) = (input.clone(), self.root.clone());
        let judged = blocking(move || Ok(preflight::judge(&input, &preflight::probe(&root)?))).await;
        judged.unwrap_or_else(|error| vec![Finding::new("host", error.to_string(), None)])
    }

    /// What carries kubewright's marker on this host and belongs to none of `clusters`.
    pub async fn leftovers(&self, clusters: BTreeSet<String>) -> Result<Vec<Marked>, ActionError> {
        Ok(blocking(move || Ok(marked::unknown(marked::all()?, &clusters))).await?)
    }

    /// What is in the way of this cluster: its bridge carries another owner's marker, machines of its name run from another
    /// directory, or those that lie here were made for another state. Changes nothing.
    pub(crate) async fn foreign(
        &self,
        cluster: &str,
        lineage: &str,
        bridge: &str,
        recorded: bool,
    ) -> Result<Option<Finding>, ActionError> {
        let (owner, bridge, provider) = (Owner::new(lineage, cluster), bridge.to_owned(), self.clone());
        let look = move || {
            let taken = preflight::taken_bridge(&owner, &bridge, recorded, &network::links()?);
            let elsewhere = || preflight::running_elsewhere(&owner.cluster, &provider.root, &machine::supervisors());
            let owners =
                owner::directories(&provider.root, &owner.cluster).map_err(|source| provider.unreadable(source))?;
            let homes = provider.homes(owners)?;
            Ok(taken.or_else(elsewhere).or_else(|| preflight::of_another_state(&owner, &homes)))
        };
        Ok(blocking(look).await?)
    }

    /// Where machines are kept.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Machines in these directories.
    pub(crate) fn homes(&self, owners: impl IntoIterator<Item = String>) -> Result<Vec<Home>, LocalError> {
        let mut homes = Vec::new();
        for owner in owners {
            let names = owner::entries(&self.root.join(&owner)).map_err(|source| self.unreadable(source))?;
            homes.extend(names.iter().map(|name| Home::new(&self.root, &owner, name)));
        }
        Ok(homes)
    }

    fn unreadable(&self, source: io::Error) -> LocalError {
        LocalError::Io { what: format!("read {}", self.root.display()), source }
    }

    /// Where a machine lives that has these inputs, or would live.
    fn home(&self, id: &ResourceId, inputs: Option<&Value>) -> Result<Home, LocalError> {
        let (_, name) = id.name().split_once('/').ok_or_else(|| LocalError::NotOurs(id.to_string()))?;
        Ok(Home::find(&self.root, &owner_of(id, inputs), name))
    }

    fn home_of(&self, change: &Change) -> Result<Home, LocalError> {
        self.home(&change.resource, change.after.as_ref().or(change.before.as_ref()))
    }

    fn machine(&self, change: &Change, outputs: &dyn ObserveContext) -> Result<Machine, LocalError> {
        let unresolved = change.after.clone().unwrap_or_default();
        let inputs: MachineInputs = typed(&unresolved, &change.resource)?;
        let find = |asset: &str| Ok::<_, LocalError>(self.assets.path(asset)?);
        let binds = inputs.binds.iter().map(|bind| Ok((find(&bind.asset)?, bind.target.clone())));
        Ok(Machine {
            home: self.home_of(change)?,
            host_key: text("hostKey", &inputs.host_key, outputs)?,
            host_key_public: text("hostKeyPublic", &inputs.host_key_public, outputs)?.reveal().to_owned(),
            authorized_key: text("authorizedKey", &inputs.authorized_key, outputs)?.reveal().to_owned(),
            binds: binds.collect::<Result<_, LocalError>>()?,
            inputs,
            unresolved,
        })
    }

    async fn apply_network(&self, change: &Change, context: &ActionContext) -> Result<Applied, LocalError> {
        let cluster = change.resource.name().to_owned();
        let inputs = |value: &Option<Value>| value.as_ref().map(|value| typed(value, &change.resource)).transpose();
        let (before, after): (Option<NetworkInputs>, Option<NetworkInputs>) =
            (inputs(&change.before)?, inputs(&change.after)?);
        let delete = change.operation == Operation::Delete;
        let own = context.clone();
        tracked(context, move || {
            let lock = || network::lock(&own.cancel, &|note| own.progress(note));
            match (delete, before, after) {
                (true, Some(inputs), _) | (true, None, Some(inputs)) => network::remove(&cluster, &inputs, lock()?),
                (false, before, Some(inputs)) => network::ensure(&cluster, &inputs, before.as_ref(), lock()?),
                _ => Ok(()),
            }
        })
        .await?;
        Ok(Applied::default())
    }

    /// What is recorded of a machine that is taken as it is, or whose keys are not looked up.
    fn adopted(&self, change: &Change) -> Result<Applied, LocalError> {
        let address = change.after.as_ref().and_then(|inputs| inputs.get("address")).cloned().unwrap_or_default();
        let host_key = machine::host_key(&self.home_of(change)?).unwrap_or_default();
        let outputs = [("address", address), ("hostKey", json!(host_key))];
        Ok(Applied { outputs: outputs.map(|(name, value)| (name.to_owned(), Output::Public(value))).into() })
    }

    async fn apply_machine(&self, change: &Change, context: &ActionContext) -> Result<Applied, LocalError> {
        if change.operation == Operation::Delete {
            let home = self.home_of(change)?;
            tracked(context, move || machine::remove(&home, &Layout::of_host()?)).await?;
            return Ok(Applied::default());
        }
        let is_off = |inputs: &Value| inputs.get("running") == Some(&json!(false));
        if let Some(inputs) = change.after.clone().filter(is_off) {
            let home = self.home_of(change)?;
            context.progress("powering off");
            tracked(context, move || machine::rest(&home, &inputs, &Layout::of_host()?)).await?;
            return self.adopted(change);
        }
        let made = self.machine(change, context.outputs.as_ref())?;
        let outputs = BTreeMap::from([
            ("address".to_owned(), Output::Public(json!(made.inputs.address))),
            ("hostKey".to_owned(), Output::Public(json!(made.host_key_public.trim()))),
        ]);
        let (assets, own) = (self.assets.clone(), context.clone());
        tracked(context, move || {
            let find = |asset: &str| Ok(assets.path(asset)?);
            machine::ensure(&made, &find, &own.cancel, &|note| own.progress(note))
        })
        .await?;
        Ok(Applied { outputs })
    }
}

#[async_trait]
impl Handler for LocalProvider {
    fn schemas(&self) -> Vec<KindSchema> {
        schema::schemas()
    }

    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        let ids: Vec<ResourceId> = requests.iter().map(|request| request.id.clone()).collect();
        let provider = self.clone();
        let looked = blocking(move || {
            let mut found = provider.observe_here(&requests, Some(context.as_ref()), false);
            found.extend(provider.orphans(&requests));
            Ok(found)
        })
        .await;
        looked.unwrap_or_else(|error| ids.into_iter().map(|id| (id, Observation::unknown(error.to_string()))).collect())
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        self.check(change, context).await?;
        match (change.operation, change.resource.kind()) {
            // What is there already is recorded as it is; what is forgotten stays.
            (Operation::Adopt, MACHINE) => Ok(self.adopted(change)?),
            (Operation::Adopt | Operation::Forget | Operation::Run, _) => Ok(Applied::default()),
            (_, NETWORK) => Ok(self.apply_network(change, context).await?),
            (_, MACHINE) => Ok(self.apply_machine(change, context).await?),
            _ => Err(LocalError::NotOurs(change.resource.to_string()).into()),
        }
    }
}

/// Looks for the resource of a change as the plan did.
fn asked_again(change: &Change) -> ObserveRequest {
    let id = change.resource.clone();
    let before = change.before.clone();
    if change.operation != Operation::Delete {
        return ObserveRequest { id, desired: change.after.clone().or(before), recorded: None };
    }
    let recorded = before.map(|inputs| Recorded::of_inputs(1, inputs));
    ObserveRequest { id, desired: None, recorded }
}

impl LocalProvider {
    /// Refuses a change whose resource is no longer what the plan saw.
    ///
    /// A key that changes in the same run resolves to another text than when the plan was made, so the machine may also
    /// look as if its keys were as they should be. The delete of a replace was compared with inputs that it doesn't carry.
    async fn check(&self, change: &Change, context: &ActionContext) -> Result<(), ActionError> {
        let makes_room = change.operation == Operation::Delete && change.replaces;
        if change.expect.is_none() || makes_room {
            return Ok(());
        }
        let request = asked_again(change);
        let (provider, outputs, known, planned) =
            (self.clone(), context.outputs.clone(), change.before.is_some(), change.clone());
        let looked = blocking(move || {
            let looks = [Some(outputs.as_ref()), None].map(|context| {
                provider.observe_here(std::slice::from_ref(&request), context, known).into_values().collect::<Vec<_>>()
            });
            Ok(unmoved::refusal(&planned, &looks.concat()))
        });
        let Some(message) = looked.await? else { return Ok(()) };
        let stale = ActionError { class: ErrorClass::Stale, ..ActionError::permanent(message) };
        Err(stale.hint("Run the command again: it plans on what is there now."))
    }

    /// Looks for resources; without a context references count as what the machine was made with. `known`: all of them
    /// are recorded, whatever the requests say.
    pub(crate) fn observe_here(
        &self,
        requests: &[ObserveRequest],
        context: Option<&dyn ObserveContext>,
        known: bool,
    ) -> BTreeMap<ResourceId, Observation> {
        let here = HostIdentity::here(&self.root);
        let (requests, elsewhere): (Vec<_>, Vec<_>) =
            requests.iter().map(|request| (request, elsewhere(request, &here))).partition(|(_, why)| why.is_none());
        let unseen = elsewhere
            .into_iter()
            .map(|(request, why)| (request.id.clone(), Observation::unknown(why.unwrap_or_default())));
        let mut found: BTreeMap<_, _> = unseen.collect();
        let requests = || requests.iter().map(|(request, _)| *request);
        let networks: Vec<_> = requests()
            .filter(|request| request.id.kind() == NETWORK)
            .map(|request| network::Asked {
                id: request.id.clone(),
                inputs: request.inputs().cloned(),
                recorded: known || request.recorded.is_some(),
                recorded_host: request.recorded.as_ref().and_then(|recorded| recorded.inputs.get("host").cloned()),
                unwanted: request.desired.is_none(),
            })
            .collect();
        if !networks.is_empty() {
            found.extend(network::observe(&networks));
        }
        let layout = Layout::of_host();
        for request in requests().filter(|request| request.id.kind() != NETWORK) {
            let observation = match (&layout, self.home(&request.id, request.inputs())) {
                (Ok(layout), Ok(home)) if request.id.kind() == MACHINE => {
                    let recorded = known || request.recorded.is_some();
                    let unwanted = request.desired.is_none();
                    let wanted = Wanted { recorded, unwanted, ..wanted(request, &home.name, context) };
                    machine::observe(&home, &wanted, layout)
                }
                (Err(error), _) => Observation::unknown(error.to_string()),
                _ => Observation::unknown("not a kind of the local provider"),
            };
            found.insert(request.id.clone(), observation);
        }
        for request in requests() {
            if let Some(seen) = found.get_mut(&request.id).filter(|seen| **seen == Observation::Absent)
                && self.may_be_elsewhere(request)
            {
                *seen =
                    Observation::unknown("an earlier release made it without saying on which host, and it is not here");
            }
        }
        found
    }

    /// Release 0.1 did not record hosts: where nothing at all of a cluster is here, it may be on another one.
    fn may_be_elsewhere(&self, request: &ObserveRequest) -> bool {
        let says_nothing = request.recorded.as_ref().is_some_and(|recorded| recorded.inputs.get("host").is_none());
        says_nothing && !owner::has_machines(&self.root, &owner_of(&request.id, request.inputs()))
    }
}

/// The cluster that a network's or machine's id names.
pub(crate) fn cluster_of(id: &ResourceId) -> &str {
    id.name().split('/').next().unwrap_or_default()
}

/// The owner of a network or machine with these inputs.
fn owner_of(id: &ResourceId, inputs: Option<&Value>) -> Owner {
    let lineage = inputs.and_then(|inputs| inputs.get("lineage")?.as_str()).unwrap_or_default();
    Owner::new(lineage, cluster_of(id))
}

/// Why a resource cannot be seen from here. The host that was recorded counts: what is wanted may be written anywhere.
fn elsewhere(request: &ObserveRequest, here: &HostIdentity) -> Option<String> {
    let host = |inputs: &Value| serde_json::from_value::<HostIdentity>(inputs.get("host")?.clone()).ok();
    let recorded = request.recorded.as_ref().and_then(|recorded| host(&recorded.inputs));
    let owner = owner_of(&request.id, request.inputs());
    recorded.or_else(|| request.desired.as_ref().and_then(host))?.elsewhere(here, &owner)
}

fn wanted(request: &ObserveRequest, name: &str, context: Option<&dyn ObserveContext>) -> Wanted {
    let inputs = request.inputs().cloned().unwrap_or_default();
    let Some(context) = context else { return Wanted { inputs, ..Wanted::default() } };
    let mut texts = BTreeMap::new();
    for field in ["hostKey", "hostKeyPublic", "authorizedKey"] {
        let resolved = inputs.get(field).and_then(|value| text(field, value, context).ok());
        texts.extend(resolved.map(|text| (field.to_owned(), text.reveal().to_owned())));
    }
    let key = context.digest_key(name);
    let digest = move |content: &[u8]| {
        Hmac::<Sha256>::new_from_slice(&key)
            .map(|mac| hex::encode(mac.chain_update(content).finalize().into_bytes()))
            .unwrap_or_default()
    };
    Wanted { inputs, keys: Keys { texts, digest_secret: Some(Box::new(digest)) }, ..Wanted::default() }
}

/// The text of an input: a reference's output, or the text itself.
fn text(field: &str, value: &Value, outputs: &dyn ObserveContext) -> Result<Secret, LocalError> {
    let missing = || LocalError::NotAText(field.to_owned());
    match Reference::from_value(value) {
        Some(reference) => outputs.output(&reference)?.text().map(Secret::new).ok_or_else(missing),
        None => value.as_str().map(Secret::new).ok_or_else(missing),
    }
}

fn typed<T: serde::de::DeserializeOwned>(value: &Value, id: &ResourceId) -> Result<T, LocalError> {
    serde_json::from_value(value.clone())
        .map_err(|source| LocalError::Unreadable { what: format!("the inputs of {id}"), source })
}

/// Runs an action's blocking work on a thread of its own, which goes on when the action is given up: the run waits for it.
async fn tracked<T: Send + 'static>(
    context: &ActionContext,
    work: impl FnOnce() -> Result<T, LocalError> + Send + 'static,
) -> Result<T, LocalError> {
    let held = context.unfinished.token();
    blocking(move || {
        let _held = held;
        work()
    })
    .await
}

/// Runs blocking work on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LocalError> + Send + 'static,
) -> Result<T, LocalError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // A fault of ours is told as one, like any other action's.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(LocalError::Cancelled),
        },
    }
}
