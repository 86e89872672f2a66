//! The sans-io scheduler: which actions may start now.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Waiting,
    Running,
    Ended,
    Skipped,
}

/// One action, known by its position in the plan.
#[derive(Debug)]
struct Action {
    id: ActionId,
    /// Index into [`Schedule::groups`].
    group: usize,
    status: Status,
    /// How many that it needs have not succeeded yet.
    missing: usize,
    /// Positions of those that need it.
    dependents: Vec<usize>,
}

/// The actions on one kind.
#[derive(Debug, Default)]
struct Group {
    limit: Option<usize>,
    running: usize,
    /// Positions of those that may start.
    ready: BTreeSet<usize>,
}

impl Group {
    fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.running < limit)
    }
}

/// Knows what runs, what waits and for what. A ready queue, not waves.
#[derive(Debug)]
pub struct Schedule {
    /// In the order of the plan.
    actions: Vec<Action>,
    position: HashMap<ActionId, usize>,
    groups: Vec<Group>,
    total: Option<NonZeroUsize>,
    running: usize,
}

impl Schedule {
    /// A schedule of `changes` within `limits`.
    pub fn new(changes: &[Change], limits: &Limits) -> Self {
        let position = changes.iter().enumerate().map(|(position, change)| (change.id.clone(), position)).collect();
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut groups = Vec::new();
        let mut actions = Vec::with_capacity(changes.len());
        for change in changes {
            let kind = change.resource.kind();
            let group = *kinds.entry(kind).or_insert_with(|| {
                groups.push(Group { limit: limits.kinds.get(kind).copied(), ..Group::default() });
                groups.len() - 1
            });
            let (id, status) = (change.id.clone(), Status::Waiting);
            actions.push(Action { id, group, status, missing: 0, dependents: Vec::new() });
        }
        let mut schedule = Self { actions, position, groups, total: limits.total, running: 0 };
        for (position, change) in changes.iter().enumerate() {
            schedule.connect(position, &change.depends_on);
        }
        schedule
    }

    /// Lets an action wait for those that it needs. What is not in the plan is there already.
    fn connect(&mut self, position: usize, needs: &BTreeSet<ActionId>) {
        for need in needs {
            if let Some(need) = self.position.get(need) {
                self.actions[*need].dependents.push(position);
                self.actions[position].missing += 1;
            }
        }
        if self.actions[position].missing == 0 {
            self.groups[self.actions[position].group].ready.insert(position);
        }
    }

    /// Takes the next action that may start now, the first in the plan, within the limits, and counts it as running.
    pub fn start_next(&mut self) -> Option<ActionId> {
        if self.total.is_some_and(|total| self.running >= total.get()) {
            return None;
        }
        let with_room = self.groups.iter().filter(|group| group.has_room());
        let position = with_room.filter_map(|group| group.ready.first()).min().copied()?;
        let action = &mut self.actions[position];
        action.status = Status::Running;
        let group = &mut self.groups[action.group];
        group.ready.remove(&position);
        group.running += 1;
        self.running += 1;
        Some(action.id.clone())
    }

    /// Takes note of how a running action ended; returns what is skipped because of it.
    pub fn finish(&mut self, id: &ActionId, outcome: Outcome) -> Vec<ActionId> {
        let Some(position) = self.position.get(id).copied() else { return Vec::new() };
        let action = &mut self.actions[position];
        action.status = Status::Ended;
        let group = &mut self.groups[action.group];
        group.running = group.running.saturating_sub(1);
        self.running = self.running.saturating_sub(1);
        match outcome {
            Outcome::Succeeded => {
                self.release(position);
                Vec::new()
            }
            Outcome::Failed => self.skip_dependents(position),
        }
    }

    fn release(&mut self, position: usize) {
        // It ends once: nobody asks for them again.
        for dependent in std::mem::take(&mut self.actions[position].dependents) {
            let action = &mut self.actions[dependent];
            action.missing = action.missing.saturating_sub(1);
            if action.missing == 0 && action.status == Status::Waiting {
                self.groups[action.group].ready.insert(dependent);
            }
        }
    }

    fn skip_dependents(&mut self, position: usize) -> Vec<ActionId> {
        let mut skipped = Vec::new();
        let mut queue = self.actions[position].dependents.clone();
        while let Some(next) = queue.pop() {
            let action = &mut self.actions[next];
            if action.status == Status::Waiting {
                action.status = Status::Skipped;
                queue.extend(&action.dependents);
                skipped.push(action.id.clone());
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Actions that neither ran nor were skipped: left over when a run drains.
    pub fn not_started(&self) -> usize {
        self.actions.iter().filter(|action| action.status == Status::Waiting).count()
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
        let mut schedule = Schedule::new(&changes, &Limits::default());
        let first = schedule.start_next().unwrap();
        let skipped = schedule.finish(&first, Outcome::Failed);
        assert_eq!(skipped, [changes[1].id.clone(), changes[2].id.clone()]);
        assert_eq!(schedule.start_next(), Some(changes[3].id.clone()));
        assert_eq!(schedule.start_next(), None);
    }

    #[test]
    fn what_waits_and_what_runs_is_counted() {
        let changes = [change(0, &[]), change(1, &[0]), change(2, &[])];
        let mut schedule = Schedule::new(&changes, &Limits::default());
        let first = schedule.start_next().unwrap();
        assert_eq!((schedule.running(), schedule.not_started()), (1, 2));
        schedule.finish(&first, Outcome::Succeeded);
        assert_eq!((schedule.running(), schedule.not_started()), (0, 2));
    }

    #[test]
    fn limits_hold_per_kind() {
        let changes = [change(0, &[]), change(1, &[]), change(2, &[])];
        let mut schedule = Schedule::new(&changes, &of_kind(2));
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
        let mut schedule = Schedule::new(&changes, &limits);
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
            let mut schedule = Schedule::new(&changes, &limits);
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
            let mut schedule = Schedule::new(&changes, &Limits { total, kinds: kinds.clone(), ..Limits::default() });
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
