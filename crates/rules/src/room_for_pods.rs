//! Pods for which a machine has no room any more are ended for good when its kubelet starts anew.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Effect, ResourceId};

use crate::{Finding, RuleInput};

const NAME: &str = "room-for-pods";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let mut nodes: BTreeMap<&str, (&ResourceId, BTreeSet<&str>)> = BTreeMap::new();
    for change in &input.plan.changes {
        for effect in &change.effects {
            if let Effect::TurnsAway { node, pod } = effect {
                nodes.entry(node).or_insert((&change.resource, BTreeSet::new())).1.insert(pod);
            }
        }
    }
    nodes.into_iter().map(|(node, (resource, pods))| warning(node, &pods).about([resource])).collect()
}

fn warning(node: &str, pods: &BTreeSet<&str>) -> Finding {
    let pods: Vec<&str> = pods.iter().copied().collect();
    let message = format!(
        "{node} will have no room for {}: its kubelet rejects what does not fit when it starts anew, and only a controller \
         makes such a pod again, where there is room",
        pods.join(", ")
    );
    let hint = format!(
        "move them first: kubectl drain {node}; or keep less from pods in spec.kubelet of the cluster or its group"
    );
    Finding::warn(NAME, message, hint)
}

#[cfg(test)]
mod tests {
    use resource::Effect;

    use crate::testing::World;

    #[test]
    fn pods_that_a_machine_will_not_take_again_are_named() {
        let turns_away = |pod: &str| Effect::TurnsAway { node: "w-1".to_owned(), pod: pod.to_owned() };
        let world = World::made(3)
            .update("machine-config/w-1", turns_away("default/b"))
            .update("machine-config/w-1", turns_away("default/a"));
        assert_eq!((world.warnings(), world.refusals().len()), (vec!["room-for-pods".to_owned()], 0));
        let [found] = world.findings().try_into().unwrap();
        assert!(found.message.contains("no room for default/a, default/b"), "{}", found.message);
    }

    #[test]
    fn less_room_in_which_everything_fits_is_no_warning() {
        let [node, resource, from, to] = ["w-1", "cpu", "2000m", "1800m"].map(str::to_owned);
        let world = World::made(3).update("machine-config/w-1", Effect::Resizes { node, resource, from, to });
        assert!(world.findings().is_empty());
    }
}
