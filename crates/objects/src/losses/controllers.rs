//! Who recreates pods: whether each pod's controller is there, and whether it is one of ours.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde_json::Value;

use crate::ApiError;
use crate::connection::Connection;
use crate::field::{OWNER, flag, is_own, list, text};
use crate::request::Request;
use crate::resource_type::collection;

/// Who makes a pod again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Controller {
    /// Nobody: it is no longer there.
    Gone {
        /// Its kind and name.
        name: String,
    },
    /// A workload of the cluster's users.
    Theirs,
    /// A workload that kubewright keeps.
    Ours,
}

/// The controllers of some pods, by UID.
pub(super) struct Controllers(BTreeMap<String, Controller>);

impl Controllers {
    /// Looks each of them up once.
    pub(super) async fn of(connection: &Connection, pods: &[&Value]) -> Result<Self, ApiError> {
        let wanted: BTreeMap<&str, Owner<'_>> =
            pods.iter().filter_map(|pod| Owner::of(pod)).map(|owner| (owner.uid, owner)).collect();
        let found = wanted.into_values().map(async |owner| {
            let controller = look_up(connection, &owner).await?;
            Ok::<_, ApiError>((owner.uid.to_owned(), controller))
        });
        Ok(Self(try_join_all(found).await?.into_iter().collect()))
    }

    /// The controller of a pod; `None` for a pod that has none.
    pub(super) fn find(&self, pod: &Value) -> Option<&Controller> {
        Owner::of(pod).and_then(|owner| self.0.get(owner.uid))
    }
}

/// What an object says of its controller.
struct Owner<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
}

impl<'a> Owner<'a> {
    fn of(object: &'a Value) -> Option<Self> {
        let owners = list(object, "/metadata/ownerReferences");
        let owner = owners.iter().find(|owner| flag(owner, "/controller"))?;
        Some(Self {
            api_version: text(owner, "/apiVersion"),
            kind: text(owner, "/kind"),
            namespace: text(object, "/metadata/namespace"),
            name: text(owner, "/name"),
            uid: text(owner, "/uid"),
        })
    }

    /// The live object; `None` where there is none or another one of the same name.
    async fn find(&self, connection: &Connection) -> Result<Option<Value>, ApiError> {
        let collection = collection(connection, self.api_version, self.kind, self.namespace).await?;
        let live = connection.find(&Request::get(&format!("{collection}/{}", self.name))).await?;
        Ok(live.filter(|live| text(live, "/metadata/uid") == self.uid))
    }

    /// Whether the live object carries our marker with its own name: one that names another object was copied.
    fn is_ours(&self, live: &Value) -> bool {
        is_own(live)
            && text(live, OWNER)
                == format!("object/{}/{}/{}/{}", self.api_version, self.kind, self.namespace, self.name)
    }
}

async fn look_up(connection: &Connection, owner: &Owner<'_>) -> Result<Controller, ApiError> {
    let live = match owner.find(connection).await {
        // Its definition is gone, and with it all that had its kind.
        Err(ApiError::UnknownKind { .. }) => None,
        other => other?,
    };
    let Some(live) = live else { return Ok(Controller::Gone { name: format!("{} {}", owner.kind, owner.name) }) };
    if owner.is_ours(&live) {
        return Ok(Controller::Ours);
    }
    // A ReplicaSet is a Deployment's, a Job a CronJob's.
    let Some(above) = Owner::of(&live) else { return Ok(Controller::Theirs) };
    let is_ours = match above.find(connection).await {
        Err(ApiError::UnknownKind { .. }) => false,
        other => other?.is_some_and(|found| above.is_ours(&found)),
    };
    Ok(if is_ours { Controller::Ours } else { Controller::Theirs })
}
