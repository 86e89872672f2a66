//! One machine at a time: changes that take machines away, whatever their kind, are laid out one machine after the other.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Cycle, Dag};
use resource::{Effect, ResourceId};

use crate::members::Members;
use crate::{ActionId, Change, Operation, Plan, Reason, order};

type Dependencies = BTreeMap<ActionId, BTreeSet<ActionId>>;

/// Static pods of which a cluster needs all but a few at any time.
const SERVING: [&str; 2] = ["etcd", "kube-apiserver"];

/// Changes that take the same machine away.
#[derive(Debug, Default)]
struct Unit {
    changes: BTreeSet<ActionId>,
    is_broken: bool,
}

impl Plan {
    /// The same with changes that take a machine away, or a member of the quorum on it, waiting for those of the machine
    /// before it: updates that reboot it or restart its etcd or API server, and replacing or deleting a member.
    ///
    /// A member counts as back when it serves, which is waited for where nothing else of the plan does. What is broken goes
    /// first, where dependencies allow it: while it is, nothing that works should be taken away. Else the order is that of the
    /// plan. Whoever limits a plan does so before: nothing *needs* what is only laid out before it.
    pub fn one_machine_at_a_time(mut self, members: &Members) -> Result<Self, Cycle> {
        // Of a cluster that goes there is nothing to keep up.
        if members.none_is_wanted() || units(&self.changes, members).len() < 2 {
            return Ok(self);
        }
        let waits = waits(&self.changes, members);
        self.changes.extend(waits);
        let links = links(&self.changes, members);
        for change in &mut self.changes {
            let of_step = match &change.reason {
                Reason::StepOf { change } => links.get(change),
                _ => None,
            };
            change.depends_on.extend(links.get(&change.id).or(of_step).into_iter().flatten().cloned());
        }
        Ok(Self { changes: order::sort(self.changes)?, ..self })
    }
}

/// What each waits for, by the best order that is none in a circle with the plan's own dependencies.
fn links(changes: &[Change], members: &Members) -> Dependencies {
    let machines = units(changes, members);
    let broken_first = chained(&machines, |unit| !unit.is_broken);
    if is_possible(changes, &broken_first) {
        return broken_first;
    }
    let in_order = chained(&machines, |_| true);
    if is_possible(changes, &in_order) {
        return in_order;
    }
    // Machines need each other: kind by kind is the best that there is.
    let mut links = Dependencies::new();
    for kind in changes.iter().map(|change| change.resource.kind()).collect::<BTreeSet<_>>() {
        let of_kind: Vec<Change> = changes.iter().filter(|change| change.resource.kind() == kind).cloned().collect();
        links.extend(chained(&units(&of_kind, members), |_| true));
    }
    links
}

/// Every change of a machine waits for all of the machine before it.
fn chained(units: &[Unit], key: impl Fn(&Unit) -> bool) -> Dependencies {
    let mut units: Vec<&Unit> = units.iter().collect();
    // A stable sort: what is alike stays in the order of the plan.
    units.sort_by_key(|unit| key(unit));
    let pairs =
        units.windows(2).flat_map(|pair| pair[1].changes.iter().map(|id| (id.clone(), pair[0].changes.clone())));
    pairs.collect()
}

fn is_possible(changes: &[Change], links: &Dependencies) -> bool {
    let mut all: Dependencies = changes.iter().map(|change| (change.id.clone(), change.depends_on.clone())).collect();
    for (id, befores) in links {
        all.entry(id.clone()).or_default().extend(befores.iter().cloned());
    }
    Dag::new(&all).is_ok()
}

/// Changes by the machine that they take away, in the order of the plan.
fn units(changes: &[Change], members: &Members) -> Vec<Unit> {
    let mut places: BTreeMap<ResourceId, usize> = BTreeMap::new();
    let mut units: Vec<Unit> = Vec::new();
    for change in changes.iter().filter(|change| takes_away(change, members)) {
        let place = *places.entry(machine(&change.resource, members)).or_insert_with(|| {
            units.push(Unit::default());
            units.len() - 1
        });
        units[place].is_broken |= matches!(change.reason, Reason::Drifted | Reason::Interrupted);
    }
    // Whatever else is made on such a machine, and whatever waits for it, belongs to its time.
    for change in changes {
        if let Some(place) = places.get(&machine(&change.resource, members)) {
            units[*place].changes.insert(change.id.clone());
        }
    }
    units
}

/// What names a machine: the member that runs on it, else what is changed.
fn machine(id: &ResourceId, members: &Members) -> ResourceId {
    members.of_resource(id).unwrap_or(id).clone()
}

/// Whether a machine, or a member of the quorum on it, is away while a change is carried out.
fn takes_away(change: &Change, members: &Members) -> bool {
    match change.operation {
        Operation::Update => change.effects.iter().any(|effect| match effect {
            Effect::Reboots { .. } => true,
            Effect::Restarts { unit, .. } => SERVING.contains(&unit.as_str()),
            _ => false,
        }),
        Operation::Delete => members.of_resource(&change.resource).is_some(),
        Operation::Create => change.replaces && members.of_resource(&change.resource).is_some(),
        Operation::Adopt | Operation::Forget | Operation::Run => false,
    }
}

/// Waits for members whose machine is made or booted again, and of which nothing else in the plan says when they serve.
fn waits(changes: &[Change], members: &Members) -> Vec<Change> {
    let settled: BTreeSet<&ResourceId> = changes.iter().map(|change| &change.resource).collect();
    let away = changes.iter().filter(|change| change.operation != Operation::Delete && takes_away(change, members));
    let wait = |change: &Change| {
        let member = members.of_resource(&change.resource).filter(|member| !settled.contains(member))?;
        let reason = Reason::ServesAgain { after: change.id.clone() };
        Some(Change {
            after: Some(members.wanted(member)?.clone()),
            depends_on: BTreeSet::from([change.id.clone()]),
            ..Change::new(member, Operation::Run, reason)
        })
    };
    away.filter_map(wait).collect()
}

#[cfg(test)]
mod tests;
