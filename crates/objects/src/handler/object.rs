//! Objects by server-side apply: only the fields that our manager owns are compared.

mod observe;
mod ownership;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{ActionContext, ActionError, Applied, Event, Output};
use plan::{Change, Operation};
use resource::{Behaviour, KindSchema, ResourceId};
use serde_json::{Value, json};

pub(super) use self::observe::observe;
use self::ownership::{is_foreign, is_of_another_state};
use super::site;
use crate::connection::Connection;
use crate::field::{LINEAGE, OWNER};
use crate::projection::with_encoded_data;
use crate::request::Request;
use crate::resource_type::collection;
use crate::rollout::{Rollout, rollout, seen};
use crate::wait::Wait;
use crate::{ApiError, Connections};

/// How long a rollout may take.
const TIMEOUT: Duration = Duration::from_mins(5);
/// How long a controller may take to look at what was applied. It may be down, and this run may be what brings it back.
const SEEN_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) fn schema() -> KindSchema {
    let schema = KindSchema::plain("object")
        .rule("access", Behaviour::Computed)
        // An instruction for the apply, not something that is observed.
        .rule("ready", Behaviour::Computed)
        .rule("manifest.stringData", Behaviour::Secret)
        // Fields that the API server does not let change: of bindings, storage classes, workloads and Secrets.
        .rule("manifest.roleRef", Behaviour::Replace)
        .rule("manifest.provisioner", Behaviour::Replace)
        .rule("manifest.parameters", Behaviour::Replace)
        .rule("manifest.reclaimPolicy", Behaviour::Replace)
        .rule("manifest.volumeBindingMode", Behaviour::Replace)
        .rule("manifest.spec.selector.matchLabels", Behaviour::Replace)
        .rule("manifest.spec.selector.matchExpressions", Behaviour::Replace)
        .rule("manifest.type", Behaviour::Replace);
    KindSchema { identity, ..schema }
}

/// Group, kind, namespace and name: to the API server, the versions of a group are views of one object.
fn identity(id: &ResourceId) -> String {
    let mut parts = id.name().rsplitn(4, '/');
    let [name, namespace, kind, api_version] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    // Where a kind has namespaces, none means this one; where it has none, none is meant.
    let namespace = if namespace == "_" { "default" } else { namespace };
    format!("{group}/{kind}/{namespace}/{name}")
}

/// The type and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Address {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

impl Address {
    fn of(manifest: &Value) -> Option<Self> {
        let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            api_version: text("/apiVersion")?,
            kind: text("/kind")?,
            namespace: text("/metadata/namespace").unwrap_or_default(),
            name: text("/metadata/name")?,
        })
    }

    fn of_change(manifest: &Value, change: &Change) -> Result<Self, ActionError> {
        Self::of(manifest)
            .ok_or_else(|| ActionError::permanent(format!("{} has no apiVersion, kind or name", change.resource)))
    }

    async fn collection(&self, connection: &Connection) -> Result<String, ApiError> {
        collection(connection, &self.api_version, &self.kind, &self.namespace).await
    }
}

pub(super) async fn apply(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let inputs = change.after.as_ref().or(change.before.as_ref()).unwrap_or(&Value::Null);
    let manifest = inputs.get("manifest").unwrap_or(&Value::Null);
    let address = Address::of_change(manifest, change)?;
    let connection = site::of_change(connections, change, context).await?;
    if change.operation == Operation::Delete {
        delete(&connection, &address, manifest, change, context).await?;
        return Ok(Applied::default());
    }
    let what = format!("cannot apply {}", change.resource);
    if change.expect.is_none() {
        check_place(&connection, &address, manifest, change, &context.cluster).await?;
    }
    let object = put(&connection, &address, manifest, &what, context).await?;
    if inputs.get("ready").and_then(Value::as_bool) == Some(true) {
        wait_until_ready(&connection, &address, &object, context).await?;
    } else {
        // Whoever looks at the cluster after the run then sees how far the roll-out is, and not that of what was there before.
        follow(&connection, &address, &object, (seen, SEEN_TIMEOUT), context).await?;
    }
    Ok(applied(&object))
}

/// What is recorded of a live object.
fn applied(live: &Value) -> Applied {
    let uid = live.pointer("/metadata/uid").cloned().unwrap_or_default();
    Applied { outputs: BTreeMap::from([("uid".to_owned(), Output::Public(uid))]) }
}

/// Refuses to make an object where somebody else's has appeared since the plan was made.
async fn check_place(
    connection: &Connection,
    address: &Address,
    manifest: &Value,
    change: &Change,
    cluster: &str,
) -> Result<(), ActionError> {
    let what = format!("cannot apply {}", change.resource);
    match find(connection, address, &what).await? {
        Some(live) if is_foreign(&live, &change.resource, manifest) => {
            Err(ActionError::permanent(format!("{what}: somebody else's stands in its place"))
                .hint(format!("Remove it, or make it ours: `kubewright state adopt {cluster} {}`.", change.resource)))
        }
        _ => Ok(()),
    }
}

/// The live object; `None` where it is not there.
async fn find(connection: &Connection, address: &Address, what: &str) -> Result<Option<Value>, ActionError> {
    let failed = |error: ApiError| error.while_doing(what);
    let collection = match address.collection(connection).await {
        Err(ApiError::UnknownKind { .. }) => return Ok(None),
        other => other.map_err(failed)?,
    };
    connection.find(&Request::get(&format!("{collection}/{}", address.name))).await.map_err(failed)
}

/// Records an object as it is. What does not carry our marker gets it, and nothing else: it was named by who may give it away.
pub(super) async fn adopt(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let manifest = change.after.as_ref().and_then(|inputs| inputs.get("manifest")).unwrap_or(&Value::Null);
    let what = format!("cannot adopt {}", change.resource);
    let address = Address::of_change(manifest, change)?;
    let connection = site::of_change(connections, change, context).await?;
    let Some(live) = find(&connection, &address, &what).await? else {
        return Err(ActionError::permanent(format!("{what}: it is no longer there")));
    };
    if [OWNER, LINEAGE].iter().all(|mark| live.pointer(mark) == manifest.pointer(mark)) {
        return Ok(applied(&live));
    }
    let mut marked = json!({"metadata": {"annotations": {"kubewright.io/owner": change.resource}}});
    if let Some(lineage) = manifest.pointer(LINEAGE) {
        marked["metadata"]["annotations"]["kubewright.io/lineage"] = lineage.clone();
    }
    marked["metadata"]["resourceVersion"] = live.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
    let collection = address.collection(&connection).await.map_err(|error| error.while_doing(&what))?;
    let path = format!("{collection}/{}", address.name);
    let object = connection.send(&Request::merge(&path, marked)).await.map_err(|error| error.while_doing(&what))?;
    Ok(applied(&object))
}

async fn put(
    connection: &Connection,
    address: &Address,
    manifest: &Value,
    what: &str,
    context: &ActionContext,
) -> Result<Value, ActionError> {
    let manifest =
        site::resolve(manifest, &*context.outputs).map_err(|error| ActionError::from_source(what, &error))?;
    let mut manifest = with_encoded_data(manifest);
    if let Value::Object(fields) = &mut manifest {
        fields.remove("status");
    }
    let collection = address.collection(connection).await.map_err(|error| error.while_doing(what))?;
    let path = format!("{collection}/{}", address.name);
    connection.send(&Request::apply(&path, manifest)).await.map_err(|error| error.while_doing(what))
}

/// Waits until an object does its job.
async fn wait_until_ready(
    connection: &Connection,
    address: &Address,
    applied: &Value,
    context: &ActionContext,
) -> Result<(), ActionError> {
    let what = format!("{} {}", address.kind, address.name);
    match follow(connection, address, applied, (rollout, TIMEOUT), context).await? {
        Rollout::Done => Ok(()),
        Rollout::Failed(why) => Err(ActionError::permanent(format!("{what} failed: {why}"))),
        Rollout::Waiting(note) => {
            let hint = format!("Look at its pods: `kubectl --namespace {} describe pods`.", address.namespace);
            let message = format!("{what} is not ready after {} min: {note}", TIMEOUT.as_secs() / 60);
            Err(ActionError::permanent(message).hint(hint))
        }
    }
}

/// Looks at an object until it is as far as it is asked to come, or until the timeout: how far it has come then.
async fn follow(
    connection: &Connection,
    address: &Address,
    applied: &Value,
    (how_far, timeout): (fn(&Value) -> Rollout, Duration),
    context: &ActionContext,
) -> Result<Rollout, ActionError> {
    let what = format!("cannot look at {} {}", address.kind, address.name);
    let failed = |error: ApiError| error.while_doing(&what);
    let path = format!("{}/{}", address.collection(connection).await.map_err(failed)?, address.name);
    let mut wait = Wait::new(context, timeout, Duration::from_millis(200));
    let mut found = how_far(applied);
    while let Rollout::Waiting(note) = &found {
        wait.say(note.clone());
        if !wait.pause().await? {
            break;
        }
        found = how_far(&connection.send(&Request::get(&path)).await.map_err(failed)?);
    }
    Ok(found)
}

async fn delete(
    connection: &Arc<Connection>,
    address: &Address,
    manifest: &Value,
    change: &Change,
    context: &ActionContext,
) -> Result<(), ActionError> {
    let what = format!("cannot delete {}", change.resource);
    let failed = |error: ApiError| error.while_doing(&what);
    // Where the kind went away, its objects went with it.
    let Some(live) = find(connection, address, &what).await? else { return Ok(()) };
    let path = format!("{}/{}", address.collection(connection).await.map_err(failed)?, address.name);
    let lost_marker = manifest.pointer(OWNER).is_some() && live.pointer(OWNER) != manifest.pointer(OWNER);
    if lost_marker || is_foreign(&live, &change.resource, manifest) {
        let why = if is_of_another_state(&live, manifest) {
            "it belongs to another cluster's state"
        } else {
            "it no longer carries our owner marker"
        };
        let text = format!("{} is left in the cluster: {why}.", change.resource);
        context.events.emit(Event::Note { text });
        return Ok(());
    }
    let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
    connection.find(&Request::delete(&path, uid)).await.map_err(failed)?;
    if change.replaces { wait_until_gone(connection, &path, uid, context, &what).await } else { Ok(()) }
}

/// Waits until an object that makes room for a new one is gone.
async fn wait_until_gone(
    connection: &Connection,
    path: &str,
    uid: Option<&str>,
    context: &ActionContext,
    what: &str,
) -> Result<(), ActionError> {
    let mut wait = Wait::new(context, Duration::from_mins(1), Duration::from_millis(100));
    loop {
        let live = connection.find(&Request::get(path)).await.map_err(|error| error.while_doing(what))?;
        let is_same = |live: &Value| live.pointer("/metadata/uid").and_then(Value::as_str) == uid;
        if !live.as_ref().is_some_and(is_same) {
            return Ok(());
        }
        wait.say("waiting until the old object is gone".to_owned());
        if !wait.pause().await? {
            let finalizers = live.and_then(|live| live.pointer("/metadata/finalizers").map(Value::to_string));
            let message = format!(
                "{what}: it is still there after a minute, held by finalizers {}",
                finalizers.unwrap_or_default()
            );
            return Err(ActionError::permanent(message));
        }
    }
}

#[cfg(test)]
mod tests;
