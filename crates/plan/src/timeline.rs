//! When each change of a plan would run, and which of them decide how long all of it takes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{ActionId, Change};

/// How long actions took in earlier runs: the median of each verb on each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    millis: BTreeMap<(String, String), u64>,
}

impl Durations {
    /// What earlier actions and their times, in milliseconds, tell.
    pub fn of<'a>(samples: impl IntoIterator<Item = (&'a ActionId, u64)>) -> Self {
        let mut times: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        for (action, millis) in samples {
            times.entry(key(action)).or_default().push(millis);
        }
        Self { millis: times.into_iter().map(|(key, times)| (key, median(times))).collect() }
    }

    /// How long an action takes; unknown where none of its verb and kind ever ended well.
    pub fn expected(&self, action: &ActionId) -> Option<u64> {
        self.millis.get(&key(action)).copied()
    }
}

/// Verb and kind: what makes actions alike.
fn key(action: &ActionId) -> (String, String) {
    let (verb, kind) = action.verb_and_kind();
    (verb.to_owned(), kind.to_owned())
}

/// The middle one, the lower of two.
fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// What is expected of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which.
    pub action: ActionId,
    /// When it begins, milliseconds after the run does.
    pub begins: u64,
    /// How long it takes, milliseconds; nothing where that is unknown, and then it counts as no time at all.
    pub takes: Option<u64>,
    /// It is on the critical path: all of it takes longer when this does.
    pub critical: bool,
}

/// A plan in time, as if every change began when what it waits for has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The changes, in the order in which they begin.
    pub steps: Vec<Step>,
    /// How long all of it takes, milliseconds.
    pub millis: u64,
    /// How many changes nobody knows the time of.
    pub unknown: usize,
}

impl Timeline {
    /// The timeline of `changes`, which are in a dependency order.
    pub fn of(changes: &[Change], durations: &Durations) -> Self {
        let mut ends: BTreeMap<&ActionId, u64> = BTreeMap::new();
        let mut steps = Vec::with_capacity(changes.len());
        for change in changes {
            let begins = change.depends_on.iter().filter_map(|need| ends.get(need)).max().copied().unwrap_or(0);
            let takes = durations.expected(&change.id);
            ends.insert(&change.id, begins.saturating_add(takes.unwrap_or(0)));
            steps.push(Step { action: change.id.clone(), begins, takes, critical: false });
        }
        let millis = ends.values().max().copied().unwrap_or(0);
        let critical = critical(changes, &ends, millis);
        for (step, critical) in steps.iter_mut().zip(critical) {
            step.critical = critical;
        }
        // A stable sort: changes that begin together stay in the order of the plan.
        steps.sort_by_key(|step| step.begins);
        let unknown = steps.iter().filter(|step| step.takes.is_none()).count();
        Self { steps, millis, unknown }
    }

    /// The critical path, in its order.
    pub fn critical(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.critical)
    }
}

/// Which changes are on the critical path: from the last to end back to one that waits for nothing, each time to what
/// ended last.
fn critical(changes: &[Change], ends: &BTreeMap<&ActionId, u64>, millis: u64) -> Vec<bool> {
    let mut found = vec![false; changes.len()];
    let mut next = changes.iter().rposition(|change| ends.get(&change.id) == Some(&millis));
    let position: BTreeMap<&ActionId, usize> =
        changes.iter().enumerate().map(|(index, change)| (&change.id, index)).collect();
    while let Some((index, change)) = next.and_then(|index| Some((index, changes.get(index)?))) {
        found[index] = true;
        let needs = change.depends_on.iter().filter_map(|need| Some((ends.get(need)?, position.get(need)?)));
        // Those before it only: what stands later is not in a dependency order.
        next = needs.filter(|(_, before)| **before < index).max().map(|(_, before)| *before);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use resource::ResourceId;

    use super::*;
    use crate::{Operation, Reason};

    fn change(name: &str, needs: &[&str]) -> Change {
        let resource: ResourceId = name.parse().unwrap();
        let needs: BTreeSet<ActionId> =
            needs.iter().map(|need| ActionId::new("create", &need.parse().unwrap())).collect();
        Change { depends_on: needs, ..Change::new(&resource, Operation::Create, Reason::New) }
    }

    fn action(text: &str) -> ActionId {
        let (verb, resource) = text.split_once(' ').unwrap();
        ActionId::new(verb, &resource.parse().unwrap())
    }

    #[test]
    fn the_median_of_each_verb_and_kind_is_expected() {
        let samples: Vec<(ActionId, u64)> = [
            ("create machine/a", 900),
            ("create machine/b", 100),
            ("create machine/c/d", 200),
            ("delete machine/a", 7),
        ]
        .map(|(text, millis)| (action(text), millis))
        .into();
        let durations = Durations::of(samples.iter().map(|(action, millis)| (action, *millis)));
        assert_eq!(durations.expected(&action("create machine/z")), Some(200));
        assert_eq!(durations.expected(&action("delete machine/z")), Some(7));
        assert_eq!(durations.expected(&action("create node/z")), None);
    }

    #[test]
    fn the_longest_chain_is_critical_and_what_runs_beside_it_is_not() {
        let changes = [change("a/1", &[]), change("b/1", &[]), change("c/1", &["a/1", "b/1"]), change("d/1", &["b/1"])];
        let samples = [("create a/x", 10), ("create b/x", 30), ("create c/x", 5)].map(|(id, took)| (action(id), took));
        let timeline = Timeline::of(&changes, &Durations::of(samples.iter().map(|(id, took)| (id, *took))));
        let critical: Vec<&str> = timeline.critical().map(|step| step.action.as_str()).collect();
        assert_eq!(critical, ["create b/1", "create c/1"]);
        assert_eq!((timeline.millis, timeline.unknown), (35, 1));
        let begins: Vec<(&str, u64)> = timeline.steps.iter().map(|step| (step.action.as_str(), step.begins)).collect();
        assert_eq!(begins, [("create a/1", 0), ("create b/1", 0), ("create c/1", 30), ("create d/1", 30)]);
    }

    #[test]
    fn nothing_takes_no_time() {
        let timeline = Timeline::of(&[], &Durations::default());
        assert_eq!((timeline.steps.len(), timeline.millis), (0, 0));
    }

    proptest! {
        /// Any graph: nothing begins before what it waits for has ended, and the critical path is a chain without gaps
        /// that takes as long as the whole.
        #[test]
        fn the_critical_path_is_a_chain_as_long_as_the_whole(
            edges in prop::collection::vec((0_usize..25, 0_usize..25), 0..80),
            times in prop::collection::vec(prop::option::of(0_u64..1000), 25),
        ) {
            let name = |index: usize| format!("k{index}/x");
            let changes: Vec<Change> = (0..25)
                .map(|index| {
                    let needs: Vec<String> =
                        edges.iter().filter(|(from, to)| *to == index && from < to).map(|(from, _)| name(*from)).collect();
                    change(&name(index), &needs.iter().map(String::as_str).collect::<Vec<_>>())
                })
                .collect();
            let known = changes.iter().zip(&times).filter_map(|(change, time)| Some((&change.id, (*time)?)));
            let timeline = Timeline::of(&changes, &Durations::of(known));
            let end = |step: &Step| step.begins + step.takes.unwrap_or(0);
            let steps: BTreeMap<&ActionId, &Step> = timeline.steps.iter().map(|step| (&step.action, step)).collect();
            for change in &changes {
                let latest = change.depends_on.iter().map(|need| end(steps[need])).max().unwrap_or(0);
                prop_assert_eq!(steps[&change.id].begins, latest);
            }
            prop_assert_eq!(timeline.millis, timeline.steps.iter().map(end).max().unwrap_or(0));
            prop_assert_eq!(timeline.critical().map(|step| step.takes.unwrap_or(0)).sum::<u64>(), timeline.millis);
            let path: Vec<&Change> = changes.iter().filter(|change| steps[&change.id].critical).collect();
            prop_assert!(path.windows(2).all(|pair| pair[1].depends_on.contains(&pair[0].id)));
            prop_assert!(path.first().is_none_or(|first| steps[&first.id].begins == 0));
        }
    }
}
