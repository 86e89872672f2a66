//! What the drains of a plan will lose: looked at when the plan is known, before it is shown and judged.

use std::collections::BTreeMap;

use model::Resolved;
use plan::{Operation as Step, Plan};
use resource::ResourceId;
use serde_json::Value;

use crate::operation::Operation;

/// The plan, its drains with what their groups consent to and what they will lose.
pub(super) async fn foresee(operation: &Operation<'_>, resolved: &Resolved, plan: Plan) -> Plan {
    let earlier = operation.loaded.goal.as_ref().map(|goal| goal.documents.as_slice()).unwrap_or_default();
    let drains =
        plan.changes.iter().filter(|change| change.operation == Step::Run && change.resource.kind() == "drain");
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
    let observed = operation.look_at(&inputs).await;
    plan.foreseen(&inputs, &observed, operation.handlers.schemas())
}
