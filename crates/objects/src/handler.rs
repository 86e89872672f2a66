//! The handler of everything that lives inside a cluster.

mod cluster;
mod drain;
mod node;
mod node_ready;
mod object;
mod room;
mod serving_certificate;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::{ActionContext, ActionError, Applied, ErrorClass, Handler, ObserveContext, ObserveRequest};
use plan::{ActionId, Change, Expander, Operation};
use resource::{Digest, KindSchema, Observation, Recorded, ResourceId, reference};

use crate::Connections;

/// How far an observation looks around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// At what was asked for.
    Asked,
    /// At what lies beside it too.
    All,
}

/// Observes and applies clusters, objects, nodes, drains and serving certificates.
pub struct ObjectsHandler {
    connections: Arc<Connections>,
    /// Actions that may have taken effect: a retry of them is not held against what was observed before.
    begun: Mutex<BTreeSet<(String, ActionId)>>,
}

impl ObjectsHandler {
    /// A handler that talks through `connections`.
    pub fn new(connections: Arc<Connections>) -> Self {
        Self { connections, begun: Mutex::default() }
    }

    async fn carry_out(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        match change.resource.kind() {
            "cluster" => cluster::apply(&self.connections, change, context).await,
            "object" if change.operation == Operation::Adopt => object::adopt(&self.connections, change, context).await,
            "object" => object::apply(&self.connections, change, context).await,
            "node" => node::apply(&self.connections, change, context).await,
            "node-ready" => node_ready::wait(&self.connections, change, context).await,
            "drain" => drain::drain(&self.connections, change, context).await,
            "uncordon" => drain::uncordon(&self.connections, change, context).await,
            "serving-certificate" => serving_certificate::apply(&self.connections, change, context).await,
            other => Err(ActionError::permanent(format!("nobody here handles `{other}`"))),
        }
    }

    /// Refuses a change whose resource is no longer as it was when the plan was made.
    async fn check_unmoved(&self, change: &Change, context: &ActionContext) -> Result<(), ActionError> {
        let Some(expected) = &change.expect else { return Ok(()) };
        if !can_be_compared(change) {
            return Ok(());
        }
        let request = ObserveRequest {
            id: change.resource.clone(),
            desired: change.after.clone(),
            recorded: change.before.clone().map(as_recorded),
        };
        let mut observed = self.observe_within(vec![request], context.outputs.clone(), Scope::Asked).await;
        let stale = |how: &str| ActionError {
            class: ErrorClass::Stale,
            ..ActionError::permanent(format!("{} {how} since the plan was made", change.resource))
                .hint("Run the command again: it plans on what is there now.")
        };
        match observed.remove(&change.resource) {
            Some(Observation::Present { attributes, .. }) if Digest::of_json(&attributes) == *expected => Ok(()),
            Some(Observation::Present { .. } | Observation::Orphan { .. }) => Err(stale("was changed")),
            // What is somebody else's by now is not deleted.
            Some(Observation::Absent | Observation::Foreign { .. }) if change.operation == Operation::Delete => Ok(()),
            Some(Observation::Foreign { .. }) => Err(stale("has become somebody else's")),
            Some(Observation::Absent) => Err(stale("has disappeared")),
            Some(Observation::Unknown { why }) => {
                Err(ActionError::unavailable(format!("cannot look at {}: {why}", change.resource)))
            }
            None => Ok(()),
        }
    }

    /// Looks at all kinds at once.
    async fn observe_within(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
        scope: Scope,
    ) -> BTreeMap<ResourceId, Observation> {
        let mut kinds: BTreeMap<String, Vec<ObserveRequest>> = BTreeMap::new();
        for request in requests {
            kinds.entry(request.id.kind().to_owned()).or_default().push(request);
        }
        let mut take = |kind: &str| kinds.remove(kind).unwrap_or_default();
        let (connections, context) = (&*self.connections, &*context);
        let (clusters, objects, nodes, drains, rooms, certificates) = tokio::join!(
            cluster::observe(connections, take("cluster"), context),
            object::observe(connections, take("object"), context, scope),
            node::observe(connections, take("node"), context, scope),
            drain::observe(connections, take("drain"), context),
            room::observe(connections, take("room"), context),
            serving_certificate::observe(connections, take("serving-certificate"), context),
        );
        // Uncordoning and waiting leave nothing behind.
        let rest = kinds.into_values().flatten().map(|request| (request.id, Observation::Absent));
        clusters
            .into_iter()
            .chain(objects)
            .chain(nodes)
            .chain(drains)
            .chain(rooms)
            .chain(certificates)
            .chain(rest)
            .collect()
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, BTreeSet<(String, ActionId)>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether looking again now can give what was seen when the plan was made.
///
/// The delete of a replace has lost the desired manifest that it was compared with, and what a reference stands for may
/// have changed in this very run.
fn can_be_compared(change: &Change) -> bool {
    let makes_room = change.replaces && change.operation == Operation::Delete;
    let manifest = change.after.as_ref().or(change.before.as_ref()).and_then(|inputs| inputs.get("manifest"));
    !makes_room && manifest.is_none_or(|manifest| reference::find_references(manifest).is_empty())
}

/// Inputs as the state would remember them.
pub(crate) fn as_recorded(inputs: serde_json::Value) -> Recorded {
    Recorded::of_inputs(1, inputs)
}

#[async_trait]
impl Handler for ObjectsHandler {
    fn schemas(&self) -> Vec<KindSchema> {
        let mut schemas = vec![cluster::schema(), object::schema(), node::schema(), serving_certificate::schema()];
        schemas.extend(drain::schemas());
        schemas.extend([room::schema(), node_ready::schema()]);
        schemas
    }

    fn expanders(&self) -> Vec<(&'static str, Expander)> {
        vec![("node", drain::before_delete)]
    }

    /// Nodes that nobody asked for, such as one that kubeadm joined, are among the answers, and objects with our marker that
    /// lie beside those that were asked for.
    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        self.observe_within(requests, context, Scope::All).await
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        let key = (context.cluster.clone(), change.id.clone());
        // The other kinds' observations say what is recorded rather than what is there.
        let is_compared = matches!(change.resource.kind(), "object" | "node") && change.operation != Operation::Adopt;
        if is_compared && !self.begun().contains(&key) {
            self.check_unmoved(change, context).await?;
        }
        self.begun().insert(key.clone());
        let outcome = self.carry_out(change, context).await;
        let again =
            matches!(&outcome, Err(error) if error.class != ErrorClass::Permanent && error.class != ErrorClass::Stale);
        if !again {
            self.begun().remove(&key);
        }
        outcome
    }
}
