//! Budgets: changes that take machines away, whatever their kind, are laid out so that a plan never takes more of them away at once
//! than may be.

use std::collections::{BTreeMap, BTreeSet};

use graph::Dag;
use resource::{Effect, ResourceId, reference};

use crate::machines::{Key, Machines};
use crate::{ActionId, Change, Operation, Plan, PlanError, Reason, ReportLine, order};

type Dependencies = BTreeMap<ActionId, BTreeSet<ActionId>>;

/// What comes first sorts lower.
type Order = for<'a> fn(&Unit<'a>) -> (bool, bool, Option<&'a str>);

/// Static pods of which a cluster needs all but a few at any time.
const SERVING: [&str; 2] = ["etcd", "kube-apiserver"];

/// Changes that take the same machine away.
#[derive(Debug, Default)]
struct Unit<'a> {
    changes: BTreeSet<ActionId>,
    /// Those that wait for no other one of them.
    starts: BTreeSet<ActionId>,
    /// Those that no other one of them waits for.
    ends: BTreeSet<ActionId>,
    is_broken: bool,
    /// What the machine counts against; nothing where it is away alone.
    budgets: Option<&'a BTreeMap<String, u32>>,
    /// The zone of what is away within budgets.
    zone: Option<&'a str>,
}

/// Zones are gone through one after the other.
#[derive(Default)]
struct Zones<'a> {
    now: Option<&'a str>,
    /// Machines of the zone that is gone through now, by their first change.
    within: BTreeSet<ActionId>,
    /// The last changes of those for which no other one of them waits.
    last: BTreeMap<ActionId, BTreeSet<ActionId>>,
    /// The last changes of the zone before.
    before: BTreeSet<ActionId>,
}

impl Plan {
    /// The same with changes that take a machine away waiting until those of others have come back: updates that reboot it or
    /// restart its etcd or API server, replacing it, and deleting a member of the quorum.
    ///
    /// Members are away alone, others within the budgets of their places and in one zone at a time. A machine counts as back when it is ready again, which
    /// is waited for where nothing else of the plan does; one that could not be looked at counts as away. Members go first, and
    /// of either what is broken, where dependencies allow it: while it is, nothing that works should be taken away. Else the
    /// order is that of the plan. Whoever limits a plan does so before: nothing *needs* what is only laid out before it. Where the
    /// quorum was seen to be lost, members are changed at once: there is nothing to keep up, and one may need all others to be
    /// mended. Others come after all of them, because nobody can say whether they are ready before.
    ///
    /// # Errors
    /// When changes are no plan, which is a bug.
    pub fn within_budgets(mut self, machines: &Machines) -> Result<Self, PlanError> {
        // Of a cluster that goes there is nothing to keep up.
        if machines.none_is_wanted() || units(&self.changes, machines).len() < 2 {
            return Ok(self);
        }
        let unseen = Unseen::of(&self.report, machines);
        let waits = waits(&self.changes, &unseen, machines);
        self.changes.extend(waits);
        let links = links(&self.changes, &unseen, machines);
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
fn links(changes: &[Change], unseen: &Unseen<'_>, machines: &Machines) -> Dependencies {
    let units = units(changes, machines);
    let members_first: Order = |unit| (unit.budgets.is_some(), false, unit.zone);
    let broken_first: Order = |unit| (unit.budgets.is_some(), !unit.is_broken, unit.zone);
    let orders: [Order; 3] = [broken_first, members_first, |_| (false, false, None)];
    for order in orders {
        let links = laid_out(&units, unseen, order);
        if is_possible(changes, &links) {
            return links;
        }
    }
    // Machines need each other: kind by kind is the best that there is.
    let mut links = Dependencies::new();
    for kind in changes.iter().map(|change| change.resource.kind()).collect::<BTreeSet<_>>() {
        let of_kind: Vec<Change> = changes.iter().filter(|change| change.resource.kind() == kind).cloned().collect();
        links.extend(laid_out(&self::units(&of_kind, machines), unseen, members_first));
    }
    links
}

/// Every change of a machine waits for all of the machines that must be back before.
fn laid_out(units: &[Unit<'_>], unseen: &Unseen<'_>, key: Order) -> Dependencies {
    let mut units: Vec<&Unit<'_>> = units.iter().collect();
    // A stable sort: what is alike stays in the order of the plan.
    units.sort_by(|one, other| key(one).cmp(&key(other)));
    let mut links = Dependencies::new();
    let (mut alone, mut since) = (None, Vec::new());
    let mut zones = Zones::default();
    for unit in units {
        let before = match unit.budgets {
            None if since.is_empty() => alone.into_iter().collect(),
            None => std::mem::take(&mut since),
            Some(budgets) => alone.into_iter().chain(of_full_budgets(budgets, unseen, &since)).collect(),
        };
        let of_zone_before = zones.before(unit, &before);
        let befores: BTreeSet<ActionId> = before.into_iter().flat_map(|unit: &Unit<'_>| unit.changes.clone()).collect();
        links.extend(unit.changes.iter().map(|id| (id.clone(), befores.clone())));
        for id in unit.starts.iter().filter(|_| !of_zone_before.is_empty()) {
            links.entry(id.clone()).or_default().extend(of_zone_before.iter().cloned());
        }
        match unit.budgets {
            None => alone = Some(unit),
            Some(_) => since.push(unit),
        }
    }
    links
}

impl<'a> Zones<'a> {
    /// The last changes of the zone before, for a machine that comes after none of its own zone: others come after such a one. A
    /// machine in no zone waits for none.
    fn before(&mut self, unit: &Unit<'a>, comes_after: &[&Unit<'a>]) -> BTreeSet<ActionId> {
        if unit.zone.is_none() {
            return BTreeSet::new();
        }
        if unit.zone != self.now {
            self.before = std::mem::take(&mut self.last).into_values().flatten().collect();
            self.now = unit.zone;
            // A zone may be gone through twice, once for what is broken in it.
            self.within.clear();
        }
        let names = comes_after.iter().filter_map(|other| other.changes.first());
        let within: Vec<&ActionId> = names.filter(|name| self.within.contains(*name)).collect();
        for name in &within {
            self.last.remove(*name);
        }
        let comes_first = within.is_empty();
        if let Some(name) = unit.changes.first() {
            self.within.insert(name.clone());
            self.last.insert(name.clone(), unit.ends.clone());
        }
        if comes_first { self.before.clone() } else { BTreeSet::new() }
    }
}

/// The machines that one which counts against these budgets comes after: of each budget the one as many places before as may
/// be away at once. So each waits for every so-manieth one before it, and no more than that many are without such a wait.
fn of_full_budgets<'a, 'b>(
    budgets: &'a BTreeMap<String, u32>,
    unseen: &'a Unseen<'a>,
    since: &'a [&'b Unit<'b>],
) -> impl Iterator<Item = &'b Unit<'b>> + use<'a, 'b> {
    budgets.iter().filter_map(|(name, most)| {
        let counts = |unit: &&&Unit<'_>| unit.budgets.is_some_and(|budgets| budgets.contains_key(name));
        // One at least: else nothing could ever be changed beside a machine that is dead for good.
        let most = most.saturating_sub(unseen.away(name)).max(1);
        since.iter().rev().filter(counts).nth(most as usize - 1).copied()
    })
}

fn is_possible(changes: &[Change], links: &Dependencies) -> bool {
    let mut all: Dependencies = changes.iter().map(|change| (change.id.clone(), change.depends_on.clone())).collect();
    for (id, befores) in links {
        all.entry(id.clone()).or_default().extend(befores.iter().cloned());
    }
    Dag::new(&all).is_ok()
}

/// Changes by the machine that they take away, in the order of the plan; members of a quorum that is lost are one.
fn units<'a>(changes: &'a [Change], machines: &'a Machines) -> Vec<Unit<'a>> {
    let is_lost = machines.lost_their_quorum();
    // Whatever is done about such a member may be what brings the quorum back.
    let is_of_lost = |change: &Change| is_lost && machines.of_resource(&change.resource).is_some();
    let taking = || changes.iter().filter(|change| takes_away(change, machines) || is_of_lost(change));
    let lost: BTreeSet<Key<'a>> =
        changes.iter().filter(|change| is_of_lost(change)).map(|change| machines.key(&change.resource)).collect();
    let key = |id: &'a ResourceId| Some(machines.key(id)).filter(|key| !lost.contains(key)).unwrap_or(Key::LostQuorum);
    let mut places: BTreeMap<Key<'a>, usize> = BTreeMap::new();
    let mut units: Vec<Unit<'a>> = Vec::new();
    for change in taking() {
        let place = *places.entry(key(&change.resource)).or_insert_with(|| {
            let budgets = machines.budgets(&change.resource);
            let zone = budgets.and_then(|_| machines.zone(&change.resource));
            units.push(Unit { budgets, zone, ..Unit::default() });
            units.len() - 1
        });
        units[place].is_broken |= matches!(change.reason, Reason::Drifted | Reason::Interrupted)
            || machines.of_resource(&change.resource).is_some_and(|member| machines.is_away(member));
    }
    // Whatever else is made on such a machine, and whatever waits for it, belongs to its time.
    for change in changes {
        if let Some(place) = places.get(&key(&change.resource)) {
            let unit = &mut units[*place];
            unit.changes.insert(change.id.clone());
            unit.starts.insert(change.id.clone());
            unit.ends.insert(change.id.clone());
        }
    }
    for change in changes {
        let Some(unit) = places.get(&key(&change.resource)).map(|place| &mut units[*place]) else { continue };
        if !change.depends_on.is_disjoint(&unit.changes) {
            unit.starts.remove(&change.id);
        }
        unit.ends.retain(|end| !change.depends_on.contains(end));
    }
    units
}

/// Whether a machine, or a member of the quorum on it, is away while a change is carried out.
pub(crate) fn takes_away(change: &Change, machines: &Machines) -> bool {
    is_taken_down(change, machines, &SERVING)
}

/// The same where only these static pods count besides the machine itself.
pub(crate) fn is_taken_down(change: &Change, machines: &Machines, pods: &[&str]) -> bool {
    let is_member = || machines.of_resource(&change.resource).is_some();
    let is_remade = || change.replaces && machines.is_machine(&change.resource);
    match change.operation {
        Operation::Update => change.effects.iter().any(|effect| match effect {
            Effect::Reboots { .. } => true,
            Effect::Restarts { unit, .. } => pods.contains(&unit.as_str()),
            _ => false,
        }),
        // A worker that nobody wants any more is not missed.
        Operation::Delete => is_member() || is_remade(),
        Operation::Create => is_remade(),
        Operation::Adopt | Operation::Forget | Operation::Run => false,
    }
}

/// Machines of which something could not be looked at: for all that is known they are away.
struct Unseen<'a> {
    machines: BTreeSet<Key<'a>>,
    /// How many of them count against each budget.
    away: BTreeMap<&'a str, u32>,
}

impl<'a> Unseen<'a> {
    fn of(report: &'a [ReportLine], machines: &'a Machines) -> Self {
        let unobserved = report.iter().filter(|line| line.reason.is_unobserved());
        let by_machine: BTreeMap<Key<'a>, &'a ResourceId> =
            unobserved.map(|line| (machines.key(&line.resource), &line.resource)).collect();
        let mut away = BTreeMap::new();
        for budget in by_machine.values().filter_map(|id| machines.budgets(id)).flat_map(BTreeMap::keys) {
            *away.entry(budget.as_str()).or_default() += 1;
        }
        Self { machines: by_machine.into_keys().collect(), away }
    }

    fn away(&self, budget: &str) -> u32 {
        self.away.get(budget).copied().unwrap_or_default()
    }
}

/// Waits for machines that are made or booted again, and of which nothing else in the plan says when they are ready. What
/// cannot be made ready by this plan is not waited for.
fn waits(changes: &[Change], unseen: &Unseen<'_>, machines: &Machines) -> Vec<Change> {
    let settled: BTreeSet<&ResourceId> = changes.iter().map(|change| &change.resource).collect();
    let mut waits: BTreeMap<&ResourceId, Change> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.operation != Operation::Delete && takes_away(change, machines))
    {
        let Some((ready, inputs)) = machines.ready(&change.resource) else { continue };
        if settled.contains(ready) || unseen.machines.contains(&machines.key(&change.resource)) {
            continue;
        }
        // What is made of the machine, and what the wait is told of the cluster, come first.
        let key = machines.key(&change.resource);
        let needs: BTreeSet<ResourceId> =
            reference::find_references(inputs).into_iter().map(|reference| reference.resource).collect();
        let before = changes.iter().filter(|other| {
            other.operation != Operation::Delete
                && (machines.key(&other.resource) == key || needs.contains(&other.resource))
        });
        waits.entry(ready).or_insert_with(|| Change {
            after: Some(inputs.clone()),
            depends_on: before.map(|change| change.id.clone()).collect(),
            ..Change::new(ready, Operation::Run, Reason::ServesAgain { after: change.id.clone() })
        });
    }
    waits.into_values().collect()
}

#[cfg(test)]
mod tests;
