//! The sans-io scheduler: which actions may start now.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use plan::{ActionId, Change};

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Succeeded,
    /// It failed for good; what depends on it is skipped.
    Failed,
}

/// How much runs at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many actions in all; any number without it.
    pub total: Option<NonZeroUsize>,
    /// How many actions on one kind, by kind; any number on those that are not named.
    pub kinds: BTreeMap<String, usize>,
    /// How long one action may take with all its retries; [`crate::ACTION_LIMIT`] without it.
    pub action: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    Waiting,
    Running,
    Ended(Outcome),
    Skipped,
}

/// Knows what runs, what waits and for what. A ready queue, not waves.
#[derive(Debug)]
pub struct Schedule {
    status: BTreeMap<ActionId, Status>,
    missing: BTreeMap<ActionId, usize>,
    dependents: BTreeMap<ActionId, Vec<ActionId>>,
    /// Ready to start, in plan order.
    ready: BTreeMap<usize, ActionId>,
    position: BTreeMap<ActionId, usize>,
    group: BTreeMap<ActionId, String>,
    limits: Limits,
    running: usize,
    busy: BTreeMap<String, usize>,
}

impl Schedule {
    /// A schedule of `changes` within `limits`.
    pub fn new(changes: &[Change], limits: Limits) -> Self {
        let known: BTreeSet<&ActionId> = changes.iter().map(|change| &change.id).collect();
        let mut schedule = Self {
            status: changes.iter().map(|change| (change.id.clone(), Status::Waiting)).collect(),
            missing: BTreeMap::new(),
            dependents: BTreeMap::new(),
            ready: BTreeMap::new(),
            position: changes.iter().enumerate().map(|(index, change)| (change.id.clone(), index)).collect(),
            group: changes.iter().map(|change| (change.id.clone(), change.resource.kind().to_owned())).collect(),
            limits,
            running: 0,
            busy: BTreeMap::new(),
        };
        for (index, change) in changes.iter().enumerate() {
            let needs: Vec<&ActionId> = change.depends_on.iter().filter(|need| known.contains(need)).collect();
            schedule.missing.insert(change.id.clone(), needs.len());
            if needs.is_empty() {
                schedule.ready.insert(index, change.id.clone());
            }
            for need in needs {
                schedule.dependents.entry(need.clone()).or_default().push(change.id.clone());
            }
        }
        schedule
    }

    /// Takes the next action that may start now, within the limits, and counts it as running.
    pub fn start_next(&mut self) -> Option<ActionId> {
        if self.limits.total.is_some_and(|total| self.running >= total.get()) {
            return None;
        }
        let (index, id) =
            self.ready.iter().find(|(_, id)| self.has_room(id)).map(|(index, id)| (*index, id.clone()))?;
        self.ready.remove(&index);
        self.status.insert(id.clone(), Status::Running);
        *self.busy.entry(self.group[&id].clone()).or_default() += 1;
        self.running += 1;
        Some(id)
    }

    fn has_room(&self, id: &ActionId) -> bool {
        let group = &self.group[id];
        self.limits.kinds.get(group).is_none_or(|limit| self.busy.get(group).copied().unwrap_or(0) < *limit)
    }

    /// Takes note of how a running action ended; returns what is skipped because of it.
    pub fn finish(&mut self, id: &ActionId, outcome: Outcome) -> Vec<ActionId> {
        self.status.insert(id.clone(), Status::Ended(outcome));
        self.running = self.running.saturating_sub(1);
        if let Some(count) = self.group.get(id).and_then(|group| self.busy.get_mut(group)) {
            *count = count.saturating_sub(1);
        }
        match outcome {
            Outcome::Succeeded => {
                self.release(id);
                Vec::new()
            }
            Outcome::Failed => self.skip_dependents(id),
        }
    }

    fn release(&mut self, id: &ActionId) {
        for next in self.dependents.get(id).cloned().unwrap_or_default() {
            let left = self.missing.entry(next.clone()).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 && self.status.get(&next) == Some(&Status::Waiting) {
                self.ready.insert(self.position[&next], next);
            }
        }
    }

    fn skip_dependents(&mut self, id: &ActionId) -> Vec<ActionId> {
        let mut skipped = Vec::new();
        let mut queue = self.dependents.get(id).cloned().unwrap_or_default();
        while let Some(next) = queue.pop() {
            if self.status.get(&next) == Some(&Status::Waiting) {
                self.status.insert(next.clone(), Status::Skipped);
                queue.extend(self.dependents.get(&next).cloned().unwrap_or_default());
                skipped.push(next);
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Actions that neither ran nor were skipped: left over when a run drains.
    pub fn not_started(&self) -> usize {
        self.status.values().filter(|status| **status == Status::Waiting).count()
    }

    /// Actions that were started and have not ended: cut off when a run is aborted.
    pub fn running(&self) -> usize {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use plan::{Operation, Reason};
    use proptest::prelude::*;
    use resource::ResourceId;

    use super::*;

    fn change(name: usize, needs: &[usize]) -> Change {
        let resource = |index: usize| ResourceId::new("x", &format!("{index:03}"));
        let depends_on = needs.iter().map(|need| ActionId::new("create", &resource(*need))).collect();
        Change { depends_on, ..Change::new(&resource(name), Operation::Create, Reason::New) }
    }

    fn of_kind(limit: usize) -> Limits {
        Limits { kinds: BTreeMap::from([("x".to_owned(), limit)]), ..Limits::default() }
    }

    #[test]
    fn a_failure_skips_what_depends_on_it_and_nothing_else() {
        let changes = [change(0, &[]), change(1, &[0]), change(2, &[1]), change(3, &[])];
        let mut schedule = Schedule::new(&changes, Limits::default());
        let first = schedule.start_next().unwrap();
        let skipped = schedule.finish(&first, Outcome::Failed);
        assert_eq!(skipped, [changes[1].id.clone(), changes[2].id.clone()]);
        assert_eq!(schedule.start_next(), Some(changes[3].id.clone()));
        assert_eq!(schedule.start_next(), None);
    }

    #[test]
    fn what_waits_and_what_runs_is_counted() {
        let changes = [change(0, &[]), change(1, &[0]), change(2, &[])];
        let mut schedule = Schedule::new(&changes, Limits::default());
        let first = schedule.start_next().unwrap();
        assert_eq!((schedule.running(), schedule.not_started()), (1, 2));
        schedule.finish(&first, Outcome::Succeeded);
        assert_eq!((schedule.running(), schedule.not_started()), (0, 2));
    }

    #[test]
    fn limits_hold_per_kind() {
        let changes = [change(0, &[]), change(1, &[]), change(2, &[])];
        let mut schedule = Schedule::new(&changes, of_kind(2));
        let first = schedule.start_next().unwrap();
        assert!(schedule.start_next().is_some());
        assert_eq!(schedule.start_next(), None);
        schedule.finish(&first, Outcome::Succeeded);
        assert!(schedule.start_next().is_some());
    }

    #[test]
    fn the_limit_of_all_actions_holds_beside_those_of_kinds() {
        let changes = [change(0, &[]), change(1, &[])];
        let limits = Limits { total: NonZeroUsize::new(1), ..of_kind(2) };
        let mut schedule = Schedule::new(&changes, limits);
        let first = schedule.start_next().unwrap();
        assert_eq!(schedule.start_next(), None);
        schedule.finish(&first, Outcome::Failed);
        assert!(schedule.start_next().is_some());
    }

    proptest! {
        /// Any graph, any order of finishing: nothing starts before its dependencies, and everything runs.
        #[test]
        fn nothing_starts_early_and_nothing_starves(
            edges in prop::collection::vec((0_usize..30, 0_usize..30), 0..80),
            picks in prop::collection::vec(0_usize..30, 60),
            limit in 1_usize..5,
            total: bool,
        ) {
            let changes: Vec<Change> = (0..30)
                .map(|name| {
                    let needs: Vec<usize> = edges.iter().filter(|(from, to)| *to == name && from < to).map(|(from, _)| *from).collect();
                    change(name, &needs)
                })
                .collect();
            let limits = if total { Limits { total: NonZeroUsize::new(limit), ..Limits::default() } } else { of_kind(limit) };
            let mut schedule = Schedule::new(&changes, limits);
            let mut running: Vec<ActionId> = Vec::new();
            let mut done: BTreeSet<ActionId> = BTreeSet::new();
            for pick in picks.iter().cycle().take(1000) {
                while let Some(id) = schedule.start_next() {
                    let change = changes.iter().find(|change| change.id == id).unwrap();
                    prop_assert!(change.depends_on.iter().all(|need| done.contains(need)));
                    running.push(id);
                    prop_assert!(running.len() <= limit);
                }
                if running.is_empty() {
                    break;
                }
                let id = running.remove(pick % running.len());
                schedule.finish(&id, Outcome::Succeeded);
                done.insert(id);
            }
            prop_assert_eq!(done.len(), changes.len());
            prop_assert_eq!(schedule.not_started(), 0);
        }

        /// Any graph over several kinds, any limits, any failures: no limit is ever passed, nothing that may start is left
        /// waiting, and in the end each action succeeded, failed or was skipped, the last exactly where something that it
        /// waits for did not succeed.
        #[test]
        fn every_limit_holds_and_every_action_comes_to_its_end(
            edges in prop::collection::vec((0_usize..30, 0_usize..30), 0..60),
            fails in prop::collection::vec(prop::bool::weighted(0.1), 30),
            picks in prop::collection::vec(0_usize..30, 60),
            limits in (prop::option::of(1_usize..6), 1_usize..4, 1_usize..4),
        ) {
            let kind = |index: usize| ["x", "y", "z"][index % 3];
            let id = |index: usize| ActionId::new("create", &ResourceId::new(kind(index), &format!("{index:03}")));
            let changes: Vec<Change> = (0..30)
                .map(|index| {
                    let needs = edges.iter().filter(|(from, to)| *to == index && from < to).map(|(from, _)| id(*from));
                    let resource = ResourceId::new(kind(index), &format!("{index:03}"));
                    Change { depends_on: needs.collect(), ..Change::new(&resource, Operation::Create, Reason::New) }
                })
                .collect();
            let kinds = BTreeMap::from([("x".to_owned(), limits.1), ("y".to_owned(), limits.2)]);
            let total = limits.0.and_then(NonZeroUsize::new);
            let mut schedule = Schedule::new(&changes, Limits { total, kinds: kinds.clone(), ..Limits::default() });
            let of = |id: &ActionId| changes.iter().position(|change| change.id == *id).unwrap();
            let (mut running, mut ended, mut skipped) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
            for pick in picks.iter().cycle().take(1000) {
                while let Some(id) = schedule.start_next() {
                    running.push(of(&id));
                }
                let busy = |wanted: &str| running.iter().filter(|index| kind(**index) == wanted).count();
                prop_assert!(total.is_none_or(|most| running.len() <= most.get()));
                prop_assert!(kinds.iter().all(|(kind, most)| busy(kind) <= *most));
                let full = total.is_some_and(|most| running.len() == most.get());
                for (index, change) in changes.iter().enumerate() {
                    let over = running.contains(&index) || ended.contains_key(&change.id) || skipped.contains(&change.id);
                    let may = change.depends_on.iter().all(|need| ended.get(need) == Some(&Outcome::Succeeded));
                    let room = !full && kinds.get(kind(index)).is_none_or(|most| busy(kind(index)) < *most);
                    prop_assert!(over || !may || !room, "{} is left waiting", change.id);
                }
                if running.is_empty() {
                    break;
                }
                let index = running.remove(pick % running.len());
                let outcome = if fails[index] { Outcome::Failed } else { Outcome::Succeeded };
                skipped.extend(schedule.finish(&changes[index].id, outcome));
                ended.insert(changes[index].id.clone(), outcome);
            }
            prop_assert_eq!((schedule.running(), schedule.not_started()), (0, 0));
            for change in &changes {
                let blocked = change.depends_on.iter().any(|need| ended.get(need) != Some(&Outcome::Succeeded));
                prop_assert_eq!(skipped.contains(&change.id), blocked);
                prop_assert_eq!(ended.contains_key(&change.id), !blocked);
            }
        }
    }
}
