//! Rules that refuse a plan, or warn of it, before anything is changed; one per file.

mod control_plane_count;
mod control_plane_remade;
mod documents;
mod drain_losses;
mod finding;
mod immutable_fields;
mod irreplaceable;
mod last_control_plane;
mod machines;
mod max_destroy;
mod one_member_at_a_time;
mod protected_ids;
mod protected_unknown;
mod quorum;
mod room_for_pods;
mod single_control_plane;
mod unknown_blocks_delete;
mod user_rules;
mod version_change;

use std::collections::BTreeSet;

use plan::Plan;
use resource::ResourceId;
use serde_json::Value;

pub use finding::{Finding, Severity};
pub use user_rules::UserRules;

/// What is wanted of a cluster, and what it was made from.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The documents that the last run was to lead to, every default filled in; empty before the first run.
    pub previous: &'a [Value],
    /// The documents that are wanted now, every default filled in; empty when the cluster is to be deleted.
    pub wanted: &'a [Value],
    /// Names of the control-plane machines that were configured: etcd may hold data on them.
    pub control_planes: &'a BTreeSet<String>,
}

impl Intent<'_> {
    /// The cluster is to be there afterwards.
    fn stays(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Some of its control plane may hold data.
    fn is_made(&self) -> bool {
        !self.control_planes.is_empty()
    }
}

/// Everything that is judged.
#[derive(Debug, Clone, Copy)]
pub struct RuleInput<'a> {
    /// What is wanted.
    pub intent: Intent<'a>,
    /// What would be done.
    pub plan: &'a Plan,
    /// How many resources may be deleted or replaced; any number without it.
    pub max_destroy: Option<usize>,
    /// Resources that must not be deleted or replaced, whatever the documents say.
    pub protected: &'a BTreeSet<ResourceId>,
    /// Resources that are recorded.
    pub recorded: &'a BTreeSet<ResourceId>,
}

/// Rules about documents alone: they need no plan.
const ON_INTENT: [fn(&Intent<'_>) -> Vec<Finding>; 3] =
    [immutable_fields::check, version_change::check, control_plane_count::check];

/// Rules about a plan.
const ON_PLAN: [fn(&RuleInput<'_>) -> Vec<Finding>; 12] = [
    last_control_plane::check,
    quorum::check,
    one_member_at_a_time::check,
    control_plane_remade::check,
    irreplaceable::check,
    protected_ids::check,
    protected_unknown::check,
    max_destroy::check,
    drain_losses::check,
    room_for_pods::check,
    single_control_plane::check,
    unknown_blocks_delete::check,
];

/// Judges documents before there is a plan, so that nothing is built or fetched for what would be refused.
pub fn check_intent(intent: &Intent<'_>) -> Vec<Finding> {
    sorted(ON_INTENT.iter().flat_map(|rule| rule(intent)).collect())
}

/// Judges a plan and the documents it came from. Refusals come first.
pub fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let on_intent = ON_INTENT.iter().flat_map(|rule| rule(&input.intent));
    sorted(on_intent.chain(ON_PLAN.iter().flat_map(|rule| rule(input))).collect())
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod testing;
