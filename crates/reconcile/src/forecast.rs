//! What a plan does to pods, observed when the plan is known, before it is shown and judged.

use std::collections::BTreeMap;

use model::Resolved;
use plan::{Change, Operation, Plan};
use resource::{Effect, Observation, ResourceId};
use serde_json::Value;

use crate::OpenCluster;

/// The kind whose updates change how much kubelet keeps from pods.
const CONFIG: &str = "machine-config";

/// The plan, with what its drains will lose and what its updates of machine configs leave for pods.
pub async fn forecast(cluster: &OpenCluster, resolved: &Resolved, plan: Plan) -> Plan {
    let plan = drains(cluster, resolved, plan).await;
    allocatable(cluster, plan).await
}

/// The plan, its drains with what their groups consent to and what they will lose.
async fn drains(cluster: &OpenCluster, resolved: &Resolved, plan: Plan) -> Plan {
    let earlier = cluster.loaded.applied.as_ref().map(|applied| applied.documents.as_slice()).unwrap_or_default();
    let drains =
        plan.changes.iter().filter(|change| change.operation == Operation::Run && change.resource.kind() == "drain");
    let inputs: BTreeMap<ResourceId, Value> = drains
        .map(|drain| {
            let node = drain.before.as_ref().unwrap_or(&Value::Null);
            let inputs = model::drain_inputs(drain.resource.name(), node, &resolved.groups, earlier);
            (drain.resource.clone(), inputs)
        })
        .collect();
    if inputs.is_empty() {
        return plan;
    }
    let observed = cluster.observe_inputs(&inputs).await;
    plan.foreseen(&inputs, &observed, cluster.handlers.schemas())
}

/// The plan, its updates of machine configs with what they change for the pods there.
async fn allocatable(cluster: &OpenCluster, plan: Plan) -> Plan {
    let inputs: BTreeMap<ResourceId, Value> =
        plan.changes.iter().filter_map(|change| room_inputs(&plan.base.cluster, change)).collect();
    if inputs.is_empty() {
        return plan;
    }
    let observed = cluster.observe_inputs(&inputs).await;
    let effects = inputs.iter().filter_map(|(id, inputs)| {
        // A Node that can't be observed is in the plan's report already.
        let Some(Observation::Present { attributes, .. }) = observed.get(id) else { return None };
        let schema = cluster.handlers.schemas().get(id.kind())?;
        let effects: Vec<Effect> = (schema.effects)(&[], attributes, inputs);
        Some((ResourceId::new(CONFIG, id.name()), effects))
    });
    plan.with_effects(&effects.collect())
}

/// What to observe for a change.
fn room_inputs(cluster: &str, change: &Change) -> Option<(ResourceId, Value)> {
    let is_update = change.operation == Operation::Update && change.resource.kind() == CONFIG;
    let (before, after) = (change.before.as_ref().filter(|_| is_update)?, change.after.as_ref()?);
    let node = change.resource.name();
    let inputs = model::room_inputs(cluster, node, before, after)?;
    Some((ResourceId::new("room", node), inputs))
}
