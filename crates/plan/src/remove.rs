//! What to do about resources that are recorded but no longer wanted.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Digest, Observation, Recorded, ResourceId};

use crate::decide::Context;
use crate::{Change, Operation, Reason, ReportReason, order};

/// Decides about everything that is no longer wanted.
pub(crate) fn remove(context: &mut Context<'_>) {
    let input = context.input;
    let unwanted: BTreeMap<&ResourceId, &Recorded> =
        input.recorded.iter().filter(|(id, _)| !input.desired.contains_key(*id)).collect();
    let removal = Removal {
        context,
        dependents: order::dependents(input.recorded),
        unwanted: &unwanted,
        successors: successors(context, &unwanted),
    };
    let stuck = removal.stuck();
    let changes: Vec<Change> = unwanted
        .iter()
        .filter(|(id, _)| !stuck.contains_key(**id))
        .map(|(id, recorded)| removal.change(id, recorded, &stuck))
        .collect();
    for change in changes {
        context.push(change);
    }
    for (id, reason) in stuck {
        context.block(&id, reason);
    }
}

type Stuck = BTreeMap<ResourceId, ReportReason>;

struct Removal<'a, 'b> {
    context: &'a Context<'b>,
    /// What recorded resources depend on each.
    dependents: BTreeMap<&'b ResourceId, BTreeSet<&'b ResourceId>>,
    unwanted: &'a BTreeMap<&'b ResourceId, &'b Recorded>,
    /// What is wanted under another id, and is the same thing.
    successors: BTreeMap<&'b ResourceId, &'b ResourceId>,
}

/// Which unwanted records are of things that are wanted under another id.
fn successors<'b>(
    context: &Context<'b>,
    unwanted: &BTreeMap<&'b ResourceId, &'b Recorded>,
) -> BTreeMap<&'b ResourceId, &'b ResourceId> {
    let input = context.input;
    let identity = |id: &ResourceId| input.schemas.get(id.kind()).map(|schema| (schema.identity)(id));
    let gone: BTreeMap<String, &ResourceId> = unwanted.keys().filter_map(|id| Some((identity(id)?, *id))).collect();
    let wanted = input.desired.keys().filter(|_| !gone.is_empty());
    wanted.filter_map(|id| Some((*gone.get(&identity(id)?)?, id))).collect()
}

impl Removal<'_, '_> {
    /// What cannot be removed: it could not be looked at, or something that stands on it stays.
    fn stuck(&self) -> Stuck {
        let mut stuck = Stuck::new();
        loop {
            let before = stuck.len();
            for (id, recorded) in self.unwanted {
                if !stuck.contains_key(*id)
                    && recorded.lifecycle.is_ours()
                    && let Some(reason) = self.why_stuck(id, recorded, &stuck)
                {
                    stuck.insert((*id).clone(), reason);
                }
            }
            if stuck.len() == before {
                return stuck;
            }
        }
    }

    fn why_stuck(&self, id: &ResourceId, recorded: &Recorded, stuck: &Stuck) -> Option<ReportReason> {
        if let Some(to) = self.successors.get(id) {
            let is_blocked = self.context.blocked.contains(*to);
            return is_blocked.then(|| ReportReason::WaitsFor { on: (*to).clone() });
        }
        let observation = self.context.input.observed.get(id);
        let unknown = match observation {
            Some(Observation::Unknown { why }) => Some(why.clone()),
            Some(_) => None,
            None => Some("it was not looked for".to_owned()),
        };
        if let (Some(why), None) = (unknown, self.taken_along(id, recorded, stuck)) {
            return Some(ReportReason::Unknown { why });
        }
        let mut dependents = self.dependents.get(id).into_iter().flatten();
        let stays =
            |dependent: &&&ResourceId| stuck.contains_key(**dependent) || self.context.blocked.contains(**dependent);
        dependents.find(stays).map(|on| ReportReason::WaitsFor { on: (*on).clone() })
    }

    /// The parent with which a resource disappears.
    fn taken_along<'c>(&self, id: &ResourceId, recorded: &'c Recorded, stuck: &Stuck) -> Option<&'c ResourceId> {
        let parent = recorded.contained_in.as_ref()?;
        let goes = !self.context.input.recorded.contains_key(parent)
            || self.context.remade.contains(parent)
            || (self.unwanted.contains_key(parent) && !stuck.contains_key(parent));
        (goes && !self.context.schema(id).outlives_parent).then_some(parent)
    }

    fn change(&self, id: &ResourceId, recorded: &Recorded, stuck: &Stuck) -> Change {
        if let Some(to) = self.successors.get(id) {
            // The record that is there is kept until there is another one.
            let depends_on = self.context.actions_on(to);
            return Change { depends_on, ..Change::new(id, Operation::Forget, Reason::MovedTo { to: (*to).clone() }) };
        }
        let observation = self.context.input.observed.get(id);
        let (operation, reason) = match (observation, self.taken_along(id, recorded, stuck)) {
            _ if !recorded.lifecycle.is_ours() => (Operation::Forget, Reason::NoLongerWanted),
            (_, Some(parent)) => (Operation::Forget, Reason::ContainedIn { parent: parent.clone() }),
            (Some(Observation::Present { .. } | Observation::Orphan { .. }), None) => {
                (Operation::Delete, Reason::NoLongerWanted)
            }
            _ => (Operation::Forget, Reason::Gone),
        };
        let expect = match observation {
            Some(Observation::Present { attributes, .. } | Observation::Orphan { attributes }) => {
                Some(Digest::of_json(attributes))
            }
            _ => None,
        };
        Change { expect, before: Some(recorded.made_with().into_owned()), ..Change::new(id, operation, reason) }
    }
}
