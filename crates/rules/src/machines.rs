//! What a plan does to machines that hold a member of etcd.

use std::collections::BTreeMap;

use plan::{Change, Operation, Reason};
use resource::ResourceId;

use crate::RuleInput;

/// The machine that a resource is, or lives on in such a way that deleting it empties the machine.
fn machine_of(id: &ResourceId) -> Option<&str> {
    match id.kind() {
        "machine" => id.name().rsplit('/').next(),
        "machine-config" => Some(id.name()),
        _ => None,
    }
}

/// Control planes that a plan deletes or replaces, with what of them it deletes.
pub(crate) fn removed<'a>(input: &RuleInput<'a>) -> BTreeMap<&'a str, &'a ResourceId> {
    of_control_planes(input, |change| change.operation == Operation::Delete)
}

/// Control planes that are not there any more, though nobody asked for that.
pub(crate) fn gone<'a>(input: &RuleInput<'a>) -> BTreeMap<&'a str, &'a ResourceId> {
    of_control_planes(input, |change| match change.operation {
        Operation::Forget => change.reason == Reason::Gone,
        _ => is_remade(change) && !change.replaces,
    })
}

/// Control planes whose machines a plan makes, although they were made and configured before.
pub(crate) fn remade<'a>(input: &RuleInput<'a>) -> BTreeMap<&'a str, &'a ResourceId> {
    of_control_planes(input, is_remade)
}

/// What is there already is only recorded by its create.
fn is_remade(change: &Change) -> bool {
    change.operation == Operation::Create
        && change.resource.kind() == "machine"
        && change.reason != Reason::FoundUnrecorded
}

fn of_control_planes<'a>(input: &RuleInput<'a>, wanted: impl Fn(&Change) -> bool) -> BTreeMap<&'a str, &'a ResourceId> {
    let changes = input.plan.changes.iter().filter(|change| wanted(change));
    changes
        .filter_map(|change| Some((machine_of(&change.resource)?, &change.resource)))
        .filter(|(name, _)| input.intent.control_planes.contains(*name))
        .collect()
}

/// How many control planes neither are deleted by a plan nor gone already.
pub(crate) fn left(input: &RuleInput<'_>) -> usize {
    let (removed, gone) = (removed(input), gone(input));
    let is_left = |name: &&String| !removed.contains_key(name.as_str()) && !gone.contains_key(name.as_str());
    input.intent.control_planes.iter().filter(is_left).count()
}

/// How many members etcd needs out of `members`.
pub(crate) fn quorum(members: usize) -> usize {
    members / 2 + 1
}
