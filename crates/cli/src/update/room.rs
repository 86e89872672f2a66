//! What updates of machines' configs leave for pods: looked at when the plan is known, before it is shown and judged.

use std::collections::BTreeMap;

use plan::{Change, Operation as Step, Plan};
use resource::{Effect, Observation, ResourceId};
use serde_json::Value;

use crate::operation::Operation;

/// The kind whose updates change how much kubelet keeps from pods.
const CONFIG: &str = "machine-config";

/// The plan, its updates of machines' configs with what they change for the pods there.
pub(super) async fn foresee(operation: &Operation<'_>, plan: Plan) -> Plan {
    let inputs: BTreeMap<ResourceId, Value> =
        plan.changes.iter().filter_map(|change| inputs(&plan.base.cluster, change)).collect();
    if inputs.is_empty() {
        return plan;
    }
    let observed = operation.look_at(&inputs).await;
    let effects = inputs.iter().filter_map(|(id, inputs)| {
        // A Node that can't be looked at is in the plan's report already.
        let Some(Observation::Present { attributes }) = observed.get(id) else { return None };
        let schema = operation.handlers.schemas().get(id.kind())?;
        let effects: Vec<Effect> = (schema.effects)(&[], attributes, inputs);
        Some((ResourceId::new(CONFIG, id.name()), effects))
    });
    plan.with_effects(&effects.collect())
}

/// What to look at for a change.
fn inputs(cluster: &str, change: &Change) -> Option<(ResourceId, Value)> {
    let is_update = change.operation == Step::Update && change.resource.kind() == CONFIG;
    let (before, after) = (change.before.as_ref().filter(|_| is_update)?, change.after.as_ref()?);
    let node = change.resource.name();
    let inputs = model::room_inputs(cluster, node, before, after)?;
    Some((ResourceId::new("room", node), inputs))
}
