//! The whole pure pipeline: decide per resource, expand, order.

use std::collections::BTreeMap;

use resource::{Desired, KindSchema, Observation, Recorded, ResourceId};

use crate::plan::{Base, Plan};
use crate::{Change, PlanError, decide, order};

/// Turns one change of a kind into the ordered atomic changes that carry it out. The last one keeps the change's id.
pub type Expander = fn(Change) -> Vec<Change>;

/// Everything a plan is made from.
pub struct Input<'a> {
    /// What the plan will be bound to.
    pub base: Base,
    /// What the spec asks for.
    pub desired: &'a BTreeMap<ResourceId, Desired>,
    /// What the state remembers.
    pub recorded: &'a BTreeMap<ResourceId, Recorded>,
    /// What was found. Resources without an observation count as unknown.
    pub observed: &'a BTreeMap<ResourceId, Observation>,
    /// Schemas by kind.
    pub schemas: &'a BTreeMap<String, KindSchema>,
    /// Expanders by kind.
    pub expanders: &'a BTreeMap<String, Expander>,
}

/// Makes the plan. Equal inputs give equal plans.
///
/// # Errors
/// When changes are no plan, which is a bug.
pub fn make_plan(input: Input<'_>) -> Result<Plan, PlanError> {
    let decisions = decide::decide(&input);
    let linked = order::link(decisions.changes, &decisions.unsettled, input.desired, input.recorded);
    let expanded: Vec<Change> = linked.into_iter().flat_map(|change| expand(change, input.expanders)).collect();
    Ok(Plan {
        format: Plan::FORMAT,
        base: input.base,
        changes: order::sort(expanded)?,
        report: decisions.report,
        drift: decisions.drift,
    })
}

/// Expands one change; its steps run one after the other, the first after everything the change waits for.
fn expand(change: Change, expanders: &BTreeMap<String, Expander>) -> Vec<Change> {
    let Some(expander) = expanders.get(change.resource.kind()) else { return vec![change] };
    let waits_for = change.depends_on.clone();
    let mut steps = expander(change);
    let mut previous = None;
    for step in &mut steps {
        step.depends_on.clone_from(&waits_for);
        step.depends_on.extend(previous.replace(step.id.clone()));
    }
    steps
}

#[cfg(test)]
mod tests;
