//! Looks at how much room an update leaves on a Node. Nothing is ever applied.

use std::collections::BTreeMap;

use engine::{ObserveContext, ObserveRequest};
use futures::FutureExt as _;
use resource::{Behaviour, Effect, KindSchema, Observation, ResourceId};
use serde_json::Value;

use super::node;
use super::site::each;
use crate::connection::Connection;
use crate::room::{Allocatable, Room, room};
use crate::{ApiError, Connections, pods};

pub(super) fn schema() -> KindSchema {
    KindSchema::plain("room").rule("access", Behaviour::Computed).effects(|_, seen, after| {
        let found: Room = serde_json::from_value(seen.clone()).unwrap_or_default();
        effects(after["node"].as_str().unwrap_or_default(), found)
    })
}

fn effects(node: &str, room: Room) -> Vec<Effect> {
    let changed = |Allocatable { resource, from, to }| Effect::Resizes { node: node.to_owned(), resource, from, to };
    let turned_away = |pod| Effect::TurnsAway { node: node.to_owned(), pod };
    room.changes.into_iter().map(changed).chain(room.turned_away.into_iter().map(turned_away)).collect()
}

pub(super) async fn observe(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
) -> BTreeMap<ResourceId, Observation> {
    each(connections, requests, context, |connection, request| observe_one(connection, request).boxed()).await
}

async fn observe_one(connection: &Connection, request: &ObserveRequest) -> Observation {
    let inputs = request.inputs().unwrap_or(&Value::Null);
    match of_node(connection, request.id.name(), inputs).await {
        Ok(Some(room)) => serde_json::to_value(room)
            .map_or_else(|error| Observation::unknown(error.to_string()), Observation::present),
        Ok(None) => Observation::Absent,
        Err(error) => Observation::unknown(error.to_string()),
    }
}

async fn of_node(connection: &Connection, node: &str, inputs: &Value) -> Result<Option<Room>, ApiError> {
    let Some(live) = node::find(connection, node).await? else { return Ok(None) };
    let pods = pods::of_node(connection, node).await?;
    Ok(Some(room(&live, &pods, &inputs["before"], &inputs["after"])))
}
