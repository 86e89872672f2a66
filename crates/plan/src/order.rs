//! Dependencies between changes, from the dependencies between their resources.

use std::collections::{BTreeMap, BTreeSet};

use graph::Dag;
use resource::{Desired, Recorded, ResourceId};

use crate::{ActionId, Change, Operation, PlanError};

/// Fills `depends_on` of every change.
///
/// Making something waits for what it depends on, through unchanged resources too; removing something waits for the
/// removal or the update of what depended on it; the create of a replace waits for its delete. What only says an output in a text
/// waits for a change of what gives it where that output is `unsettled`: otherwise members that name each other would.
pub(crate) fn link(
    mut changes: Vec<Change>,
    unsettled: &BTreeSet<ResourceId>,
    desired: &BTreeMap<ResourceId, Desired>,
    recorded: &BTreeMap<ResourceId, Recorded>,
) -> Vec<Change> {
    let forward: BTreeMap<&ResourceId, ActionId> =
        changes.iter().filter(|change| makes(change)).map(|change| (&change.resource, change.id.clone())).collect();
    let removing: BTreeMap<&ResourceId, ActionId> =
        changes.iter().filter(|change| !makes(change)).map(|change| (&change.resource, change.id.clone())).collect();
    let needed = |resource: &Desired| {
        let mut needed = resource.dependencies();
        let firmly = resource.dependencies_beside_texts();
        needed.retain(|need| firmly.contains(need) || unsettled.contains(need) || !forward.contains_key(need));
        needed
    };
    let needs: BTreeMap<&ResourceId, BTreeSet<ResourceId>> =
        desired.iter().map(|(id, resource)| (id, needed(resource))).collect();
    let needed_by = dependents(recorded);

    let links: Vec<BTreeSet<ActionId>> = changes
        .iter()
        .map(|change| {
            let mut links = BTreeSet::new();
            if makes(change) {
                let mut seen = BTreeSet::new();
                nearest(&change.resource, &needs, &forward, &mut seen, &mut links);
                links.extend(removing.get(&change.resource).cloned());
            } else {
                for dependent in needed_by.get(&change.resource).into_iter().flatten() {
                    links.extend(removing.get(dependent).cloned());
                    // An update that lets go of it comes first; a create of a replaced dependent comes after.
                    if !removing.contains_key(dependent)
                        && desired.contains_key(*dependent)
                        && !desired.contains_key(&change.resource)
                    {
                        links.extend(forward.get(dependent).cloned());
                    }
                }
            }
            links
        })
        .collect();
    for (change, links) in changes.iter_mut().zip(links) {
        change.depends_on.extend(links);
    }
    changes
}

fn makes(change: &Change) -> bool {
    !matches!(change.operation, Operation::Delete | Operation::Forget)
}

/// The changes nearest to `resource` on every dependency path.
fn nearest(
    resource: &ResourceId,
    needs: &BTreeMap<&ResourceId, BTreeSet<ResourceId>>,
    forward: &BTreeMap<&ResourceId, ActionId>,
    seen: &mut BTreeSet<ResourceId>,
    links: &mut BTreeSet<ActionId>,
) {
    for need in needs.get(resource).into_iter().flatten() {
        if !seen.insert(need.clone()) {
            continue;
        }
        match forward.get(need) {
            Some(action) => {
                links.insert(action.clone());
            }
            None => nearest(need, needs, forward, seen, links),
        }
    }
}

/// Which recorded resources depend on each.
pub(crate) fn dependents(recorded: &BTreeMap<ResourceId, Recorded>) -> BTreeMap<&ResourceId, BTreeSet<&ResourceId>> {
    let mut reverse: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    for (id, resource) in recorded {
        for need in &resource.depends_on {
            reverse.entry(need).or_default().insert(id);
        }
    }
    reverse
}

/// Puts changes into a dependency order; each is the only one of its id.
pub(crate) fn sort(changes: Vec<Change>) -> Result<Vec<Change>, PlanError> {
    let mut by_id: BTreeMap<ActionId, Change> = BTreeMap::new();
    for change in changes {
        if let Some(earlier) = by_id.insert(change.id.clone(), change) {
            return Err(PlanError::Twice(earlier.id));
        }
    }
    let dependencies = by_id.iter().map(|(id, change)| (id.clone(), change.depends_on.clone())).collect();
    let order = Dag::new(&dependencies)?.order();
    Ok(order.iter().filter_map(|id| by_id.remove(id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    #[test]
    fn two_changes_of_one_id_are_no_plan() {
        let change = || Change::new(&"config/a".parse().unwrap(), Operation::Update, Reason::SpecChanged);
        assert_eq!(sort(vec![change()]).unwrap().len(), 1);
        assert_eq!(sort(vec![change(), change()]), Err(PlanError::Twice(change().id)));
    }
}
