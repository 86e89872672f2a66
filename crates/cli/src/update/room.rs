//! What updates of machines' configs leave for pods: looked at when the plan is known, before it is shown and judged.

use std::collections::BTreeMap;

use engine::ObserveRequest;
use plan::{Change, Operation as Step, Plan};
use resource::{Effect, Observation, ResourceId};
use serde_json::Value;

use crate::operation::Operation;

/// The plan, its updates of machines' configs with what they change for the pods there.
pub(super) async fn foresee(operation: &Operation<'_>, plan: Plan) -> Plan {
    let looks: BTreeMap<ResourceId, (ResourceId, Value)> =
        plan.changes.iter().filter_map(|change| look(&plan.base.cluster, change)).collect();
    if looks.is_empty() {
        return plan;
    }
    let request = |(id, (_, inputs)): (&ResourceId, &(ResourceId, Value))| ObserveRequest {
        id: id.clone(),
        desired: Some(inputs.clone()),
        recorded: None,
    };
    let requests = looks.iter().map(request).collect();
    let observed = operation.handlers.observe(requests, operation.outputs.clone()).await;
    let effects = looks.into_iter().filter_map(|(id, (config, inputs))| {
        // A Node that can't be looked at is in the plan's report already.
        let Some(Observation::Present { attributes }) = observed.get(&id) else { return None };
        let schema = operation.handlers.schemas().get(id.kind())?;
        let effects: Vec<Effect> = (schema.effects)(&[], attributes, &inputs);
        Some((config, effects))
    });
    plan.with_effects(&effects.collect())
}

/// What to look at for a change, and the resource that it is about.
fn look(cluster: &str, change: &Change) -> Option<(ResourceId, (ResourceId, Value))> {
    let is_update = change.operation == Step::Update && change.resource.kind() == "machine-config";
    let (before, after) = (change.before.as_ref().filter(|_| is_update)?, change.after.as_ref()?);
    let node = change.resource.name();
    let inputs = model::room_inputs(cluster, node, before, after)?;
    Some((ResourceId::new("room", node), (change.resource.clone(), inputs)))
}
