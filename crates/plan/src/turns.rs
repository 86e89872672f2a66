//! Turns: changes that would do harm at the same time are made one after the other.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Cycle, Dag};
use resource::KindSchema;

use crate::{ActionId, Change, Operation, Reason};

type Dependencies = BTreeMap<ActionId, BTreeSet<ActionId>>;

/// Lets updates that take turns, by their schema, wait for each other, kind by kind.
///
/// What is broken goes first, where dependencies allow it: while it is, nothing that works should be taken away. Else the
/// order is that of their dependencies, and of their ids.
pub(crate) fn take(mut changes: Vec<Change>, schemas: &BTreeMap<String, KindSchema>) -> Result<Vec<Change>, Cycle> {
    let queues = queues(&changes, schemas);
    if queues.is_empty() {
        return Ok(changes);
    }
    let dependencies: Dependencies =
        changes.iter().map(|change| (change.id.clone(), change.depends_on.clone())).collect();
    let order = Dag::new(&dependencies)?.order();
    let rank: BTreeMap<&ActionId, usize> = order.iter().enumerate().map(|(rank, id)| (id, rank)).collect();
    let broken_first = one_after_the_other(&queues, &dependencies, |change| (is_well(change), rank.get(&change.id)));
    let linked = match Dag::new(&broken_first) {
        Ok(_) => broken_first,
        Err(_) => one_after_the_other(&queues, &dependencies, |change| (true, rank.get(&change.id))),
    };
    drop(queues);
    for change in &mut changes {
        change.depends_on.extend(linked.get(&change.id).into_iter().flatten().cloned());
    }
    Ok(changes)
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

fn one_after_the_other<K: Ord>(
    queues: &[Vec<&Change>],
    dependencies: &Dependencies,
    key: impl Fn(&Change) -> K,
) -> Dependencies {
    let mut linked = dependencies.clone();
    for queue in queues {
        let mut queue = queue.clone();
        queue.sort_by_key(|change| key(change));
        for pair in queue.windows(2) {
            linked.entry(pair[1].id.clone()).or_default().insert(pair[0].id.clone());
        }
    }
    linked
}

fn is_well(change: &Change) -> bool {
    !matches!(change.reason, Reason::Drifted | Reason::Interrupted)
}

#[cfg(test)]
mod tests {
    use resource::{Effect, ResourceId};

    use super::*;

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
        let names = |change: Change| {
            let befores = change.depends_on.iter().map(|id| id.as_str()["update ".len()..].to_owned());
            (change.resource.to_string(), befores.collect())
        };
        take(changes, &schemas).unwrap().into_iter().map(names).collect()
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
        assert_eq!(told, waiting(&[("config/a", &["config/c"]), ("config/b", &[]), ("config/c", &["config/b"])]));
    }

    #[test]
    fn turns_never_go_in_a_circle_with_dependencies() {
        let well = update("config", "a", "etcd", Reason::SpecChanged);
        let mut broken = update("config", "b", "etcd", Reason::Drifted);
        broken.depends_on.insert(well.id.clone());
        assert_eq!(waits(vec![well, broken]), waiting(&[("config/a", &[]), ("config/b", &["config/a"])]));
    }
}
