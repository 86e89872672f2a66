//! From what is wanted, recorded and observed to a plan. Pure.

use std::collections::{BTreeMap, BTreeSet};

use engine::Handlers;
use plan::{Base, Input, Machines, Plan, PlanError};
use resource::{Desired, Recorded, ResourceId};

use crate::Observations;

/// What a plan is made from.
pub struct PlanInput<'a> {
    /// What the plan is bound to.
    pub base: Base,
    /// What is wanted.
    pub desired: &'a BTreeMap<ResourceId, Desired>,
    /// What was made.
    pub recorded: &'a BTreeMap<ResourceId, Recorded>,
    /// What was found.
    pub observed: &'a Observations,
    /// What the plan is limited to; nothing where it is whole.
    pub targets: &'a BTreeSet<ResourceId>,
    /// Who knows the kinds.
    pub handlers: &'a Handlers,
}

/// The changes that are due, laid out so that no more is away at once than may be.
///
/// # Errors
/// When changes are no plan, which is a bug.
pub fn make_plan(input: PlanInput<'_>) -> Result<Plan, PlanError> {
    let PlanInput { base, desired, recorded, observed, targets, handlers } = input;
    let (schemas, expanders) = (handlers.schemas(), handlers.expanders());
    let plan = plan::make_plan(Input { base, desired, recorded, observed, schemas, expanders })?.limited_to(targets);
    let machines = Machines::of(recorded, desired, schemas).as_seen(observed);
    plan.sparing_quorum(&machines).within_budgets(&machines)
}
