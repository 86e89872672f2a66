//! A plan, and what a cluster consists of, as pictures.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Node, Picture};
use plan::{Change, Operation, Plan};
use resource::ResourceId;

/// Nothing happens to it.
const UNCHANGED: &str = "#e6e6e6";

/// The changes of a plan and what each waits for; coloured by what they do.
pub fn plan_picture(plan: &Plan) -> Picture {
    let node = |change: &Change| Node { label: change.id.to_string(), colour: colour(change) };
    let edges = edges(plan.changes.iter().map(|change| (&change.id, &change.depends_on)));
    Picture { nodes: plan.changes.iter().map(node).collect(), edges }
}

/// From what is waited for to what waits, each by its place; what has no place is left out.
fn edges<'a, Id: Ord + 'a>(needs: impl Iterator<Item = (&'a Id, &'a BTreeSet<Id>)> + Clone) -> Vec<(usize, usize)> {
    let place: BTreeMap<&Id, usize> = needs.clone().enumerate().map(|(index, (id, _))| (id, index)).collect();
    let mut edges = Vec::new();
    for (to, (_, befores)) in needs.enumerate() {
        edges.extend(befores.iter().filter_map(|before| Some((*place.get(before)?, to))));
    }
    edges
}

/// Everything that is desired and what each depends on; coloured by what the plan does to it.
pub fn desired_picture(needs: &BTreeMap<ResourceId, BTreeSet<ResourceId>>, plan: &Plan) -> Picture {
    // Of a replace, its create stands last and speaks for it.
    let changes: BTreeMap<&ResourceId, &Change> =
        plan.changes.iter().map(|change| (&change.resource, change)).collect();
    let node = |id: &ResourceId| Node {
        label: id.to_string(),
        colour: changes.get(id).map_or(UNCHANGED, |change| colour(change)),
    };
    Picture { nodes: needs.keys().map(node).collect(), edges: edges(needs.iter()) }
}

fn colour(change: &Change) -> &'static str {
    match change.operation {
        Operation::Create | Operation::Delete if change.replaces => "#ffcc80",
        Operation::Create => "#b9e4b4",
        Operation::Update => "#fff2a8",
        Operation::Delete => "#f5b5b0",
        Operation::Adopt => "#bcdcf5",
        Operation::Run => "#dcc8f0",
        Operation::Forget => UNCHANGED,
    }
}

#[cfg(test)]
mod tests {
    use plan::{ActionId, Base, Reason};

    use super::*;

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    fn plan() -> Plan {
        let create = Change::new(&id("network/a"), Operation::Create, Reason::New);
        let mut update = Change::new(&id("machine/b"), Operation::Update, Reason::SpecChanged);
        update.depends_on = [create.id.clone(), ActionId::new("create", &id("gone/x"))].into();
        Plan { changes: vec![create, update], ..Plan::empty(Base::of_nothing("demo")) }
    }

    #[test]
    fn changes_are_coloured_by_what_they_do_and_point_to_what_waits() {
        let picture = plan_picture(&plan());
        let nodes: Vec<(&str, &str)> = picture.nodes.iter().map(|node| (node.label.as_str(), node.colour)).collect();
        assert_eq!(nodes, [("create network/a", "#b9e4b4"), ("update machine/b", "#fff2a8")]);
        assert_eq!(picture.edges, [(0, 1)]);
    }

    #[test]
    fn what_is_desired_is_grey_where_nothing_happens_to_it() {
        let needs = BTreeMap::from([
            (id("machine/b"), [id("network/a")].into()),
            (id("network/a"), BTreeSet::new()),
            (id("ssh-key/c"), BTreeSet::new()),
        ]);
        let picture = desired_picture(&needs, &plan());
        assert_eq!(picture.nodes.iter().map(|node| node.colour).collect::<Vec<_>>(), ["#fff2a8", "#b9e4b4", UNCHANGED]);
        assert_eq!(picture.edges, [(1, 0)]);
    }
}
