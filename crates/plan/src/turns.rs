//! Turns: changes that would do harm at the same time are made one after the other.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Cycle, Dag};
use resource::KindSchema;

use crate::{ActionId, Change, Operation, Plan, Reason, order};

type Dependencies = BTreeMap<ActionId, BTreeSet<ActionId>>;

impl Plan {
    /// The same with updates that take turns, by their schema (see [`KindSchema::takes_turns`]), waiting for each other, kind
    /// by kind.
    ///
    /// What is broken goes first, where dependencies allow it: while it is, nothing that works should be taken away. Else
    /// the order is that of the plan. Whoever limits a plan does so before: nothing *needs* what has its turn before it.
    pub fn in_turns(mut self, schemas: &BTreeMap<String, KindSchema>) -> Result<Self, Cycle> {
        let links = links(&self.changes, schemas);
        if links.is_empty() {
            return Ok(self);
        }
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

/// What each has its turn after.
fn links(changes: &[Change], schemas: &BTreeMap<String, KindSchema>) -> Dependencies {
    let queues = queues(changes, schemas);
    if queues.is_empty() {
        return Dependencies::new();
    }
    let broken_first = one_after_the_other(&queues, |change| !is_broken(change));
    let mut all: Dependencies = changes.iter().map(|change| (change.id.clone(), change.depends_on.clone())).collect();
    for (id, befores) in &broken_first {
        all.entry(id.clone()).or_default().extend(befores.iter().cloned());
    }
    if Dag::new(&all).is_ok() { broken_first } else { one_after_the_other(&queues, |_| true) }
}

/// Updates that take turns, by kind, where there are several.
fn queues<'a>(changes: &'a [Change], schemas: &BTreeMap<String, KindSchema>) -> Vec<Vec<&'a Change>> {
    let mut queues: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.operation == Operation::Update) {
        let kind = change.resource.kind();
        if schemas.get(kind).is_some_and(|schema| (schema.takes_turns)(&change.effects)) {
            queues.entry(kind).or_default().push(change);
        }
    }
    queues.into_values().filter(|queue| queue.len() > 1).collect()
}

/// A stable sort: what is alike stays in the order of the plan.
fn one_after_the_other(queues: &[Vec<&Change>], key: impl Fn(&Change) -> bool) -> Dependencies {
    let mut links = Dependencies::new();
    for queue in queues {
        let mut queue = queue.clone();
        queue.sort_by_key(|change| key(change));
        links.extend(queue.windows(2).map(|pair| (pair[1].id.clone(), BTreeSet::from([pair[0].id.clone()]))));
    }
    links
}

fn is_broken(change: &Change) -> bool {
    matches!(change.reason, Reason::Drifted | Reason::Interrupted)
}

#[cfg(test)]
mod tests {
    use resource::{Effect, ResourceId};

    use super::*;
    use crate::Base;

    fn update(kind: &str, name: &str, unit: &str, reason: Reason) -> Change {
        let effect = Effect::Restarts { unit: unit.to_owned(), machine: name.to_owned() };
        let resource = ResourceId::new(kind, name);
        Change { effects: vec![effect], ..Change::new(&resource, Operation::Update, reason) }
    }

    fn waits(changes: Vec<Change>) -> Vec<(String, Vec<String>)> {
        let queued = KindSchema {
            takes_turns: |effects| matches!(effects, [Effect::Restarts { unit, .. }] if unit == "etcd"),
            ..KindSchema::plain("config")
        };
        let schemas = [queued, KindSchema::plain("node")].map(|schema| (schema.kind.to_owned(), schema)).into();
        let plan = Plan { changes, ..Plan::empty(Base::of_nothing("demo")) };
        let names = |change: Change| {
            let befores = change.depends_on.iter().map(|id| id.as_str()["update ".len()..].to_owned());
            (change.resource.to_string(), befores.collect())
        };
        plan.in_turns(&schemas).unwrap().changes.into_iter().map(names).collect()
    }

    fn waiting(told: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        told.iter()
            .map(|(id, befores)| ((*id).to_owned(), befores.iter().map(|id| (*id).to_owned()).collect()))
            .collect()
    }

    #[test]
    fn each_waits_for_the_one_before_it() {
        let changed = |name: &str| update("config", name, "etcd", Reason::SpecChanged);
        let told = waits(vec![changed("a"), changed("b"), changed("c")]);
        assert_eq!(told, waiting(&[("config/a", &[]), ("config/b", &["config/a"]), ("config/c", &["config/b"])]));
    }

    #[test]
    fn what_does_no_harm_is_made_at_once() {
        let changed = |name: &str, unit: &str| update("config", name, unit, Reason::SpecChanged);
        let told = waits(vec![
            changed("a", "kubelet.service"),
            changed("b", "kubelet.service"),
            changed("c", "etcd"),
            update("node", "d", "etcd", Reason::SpecChanged),
            Change::new(&ResourceId::new("config", "e"), Operation::Create, Reason::New),
        ]);
        assert!(told.iter().all(|(_, befores)| befores.is_empty()), "{told:?}");
    }

    #[test]
    fn what_is_broken_goes_first() {
        let told = waits(vec![
            update("config", "a", "etcd", Reason::SpecChanged),
            update("config", "b", "etcd", Reason::Interrupted),
            update("config", "c", "etcd", Reason::Drifted),
        ]);
        assert_eq!(told, waiting(&[("config/b", &[]), ("config/c", &["config/b"]), ("config/a", &["config/c"])]));
    }

    #[test]
    fn turns_never_go_in_a_circle_with_dependencies() {
        let well = update("config", "a", "etcd", Reason::SpecChanged);
        let mut broken = update("config", "b", "etcd", Reason::Drifted);
        broken.depends_on.insert(well.id.clone());
        assert_eq!(waits(vec![well, broken]), waiting(&[("config/a", &[]), ("config/b", &["config/a"])]));
    }

    #[test]
    fn steps_of_a_change_have_its_turn() {
        let (a, b) =
            (update("config", "a", "etcd", Reason::SpecChanged), update("config", "b", "etcd", Reason::SpecChanged));
        let step = Change::new(&ResourceId::new("drain", "b"), Operation::Run, Reason::StepOf { change: b.id.clone() });
        let told = waits(vec![a, b, step]);
        assert!(told.contains(&("drain/b".to_owned(), vec!["config/a".to_owned()])), "{told:?}");
    }

    #[test]
    fn a_plan_that_is_limited_first_has_turns_of_what_is_left_only() {
        let changes = ["a", "b", "c"].map(|name| update("config", name, "etcd", Reason::SpecChanged)).to_vec();
        let plan = Plan { changes, ..Plan::empty(Base::of_nothing("demo")) };
        let target = ResourceId::new("config", "c");
        assert_eq!(waits(plan.limited_to(&[target].into()).changes), waiting(&[("config/c", &[])]));
    }
}
