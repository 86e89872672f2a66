//! The cluster that a resource lives in: found through its `access` input, and checked to be the recorded one.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{ActionContext, ActionError, ObserveContext, ObserveRequest, Output, UnresolvedReference};
use futures::future::{BoxFuture, join_all};
use plan::Change;
use resource::{Observation, Reference, ResourceId, Secret};
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::{ApiError, Connections};

/// The text of the `access` input and the recorded identity of the cluster it belongs to.
struct Key {
    access: Secret,
    uid: Option<String>,
}

impl Key {
    fn find(inputs: &Value, context: &dyn ObserveContext) -> Result<Option<Self>, UnresolvedReference> {
        let Some(access) = inputs.get("access") else { return Ok(None) };
        let Some(reference) = Reference::from_value(access) else {
            return Ok(access.as_str().map(|text| Self { access: Secret::new(text), uid: None }));
        };
        let access = context.output(&reference)?;
        let uid = context.outputs(&reference.resource).get("kubeSystemUid").and_then(Output::text).map(str::to_owned);
        Ok(access.text().map(|text| Self { access: Secret::new(text), uid }))
    }

    async fn connect(&self, connections: &Connections) -> Result<Arc<Connection>, ApiError> {
        let connection = connections.open(&self.access)?;
        connection.check_identity(self.uid.as_deref()).await?;
        Ok(connection)
    }
}

/// The cluster in which a change takes place, checked to be the recorded one.
pub(super) async fn of_change(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Arc<Connection>, ActionError> {
    let inputs = change.after.as_ref().or(change.before.as_ref()).unwrap_or(&Value::Null);
    let key = Key::find(inputs, &*context.outputs)
        .map_err(|error| ActionError::from_source(&format!("cannot reach the cluster of {}", change.resource), &error))?
        .ok_or_else(|| ActionError::permanent(format!("{} names no cluster access", change.resource)))?;
    key.connect(connections)
        .await
        .map_err(|error| error.while_doing(&format!("cannot reach the cluster of {}", change.resource)))
}

/// Requests that go to one cluster.
pub(super) struct Batch {
    pub(super) connection: Arc<Connection>,
    pub(super) requests: Vec<ObserveRequest>,
}

/// Sorts requests by cluster, and answers those whose cluster was never made or cannot be reached.
pub(super) async fn batches(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
) -> (Vec<Batch>, BTreeMap<ResourceId, Observation>) {
    let mut by_access: BTreeMap<String, Vec<ObserveRequest>> = BTreeMap::new();
    for request in requests {
        let access = request.inputs().and_then(|inputs| inputs.get("access")).map(Value::to_string).unwrap_or_default();
        by_access.entry(access).or_default().push(request);
    }
    let mut batches = Vec::new();
    let mut answers = BTreeMap::new();
    for requests in by_access.into_values() {
        let inputs = requests.first().and_then(ObserveRequest::inputs).cloned().unwrap_or_default();
        let why = match Key::find(&inputs, context) {
            Ok(Some(key)) => match key.connect(connections).await {
                Ok(connection) => {
                    batches.push(Batch { connection, requests });
                    continue;
                }
                Err(error) => Some(error.to_string()),
            },
            // A cluster that was never made holds nothing.
            _ => None,
        };
        answers.extend(requests.into_iter().map(|request| {
            let observation = match &why {
                Some(why) => Observation::unknown(why.clone()),
                None if request.recorded.is_none() => Observation::Absent,
                None => Observation::unknown("the cluster's access is not recorded"),
            };
            (request.id, observation)
        }));
    }
    (batches, answers)
}

/// How one thing is looked at.
type Observe = for<'a> fn(&'a Connection, &'a ObserveRequest) -> BoxFuture<'a, Observation>;

/// Answers requests of which each is a look of its own, those of one cluster at once.
pub(super) async fn each(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
    look: Observe,
) -> BTreeMap<ResourceId, Observation> {
    let (batches, mut answers) = batches(connections, requests, context).await;
    for Batch { connection, requests } in batches {
        let seen = join_all(requests.iter().map(|request| look(&connection, request))).await;
        answers.extend(requests.into_iter().map(|request| request.id).zip(seen));
    }
    answers
}

/// `value` with every reference replaced by the output that it stands for.
pub(super) fn resolve(value: &Value, context: &dyn ObserveContext) -> Result<Value, UnresolvedReference> {
    if let Some(reference) = Reference::from_value(value) {
        return Ok(match context.output(&reference)? {
            Output::Public(value) => value,
            Output::Secret(secret) => Value::String(secret.reveal().to_owned()),
        });
    }
    match value {
        Value::Array(items) => items.iter().map(|item| resolve(item, context)).collect(),
        Value::Object(fields) => {
            let fields: Result<Map<_, _>, _> =
                fields.iter().map(|(name, field)| Ok((name.clone(), resolve(field, context)?))).collect();
            fields.map(Value::Object)
        }
        _ => Ok(value.clone()),
    }
}
