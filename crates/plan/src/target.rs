//! A part of a plan: some resources, and what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use resource::ResourceId;

use crate::{ActionId, Change, Plan, Reason, ReportLine, ReportReason};

impl Plan {
    /// The same for `targets` only, with every change that theirs wait for. What is left out becomes a line of the report.
    /// Without targets it stays whole.
    #[must_use]
    pub fn limited_to(mut self, targets: &BTreeSet<ResourceId>) -> Self {
        if targets.is_empty() {
            return self;
        }
        let kept = kept(&self.changes, targets);
        let (changes, left_out): (Vec<Change>, Vec<Change>) =
            self.changes.into_iter().partition(|change| kept.contains(&change.id));
        let touched: BTreeSet<&ResourceId> = changes.iter().map(|change| &change.resource).collect();
        let resources: BTreeSet<ResourceId> =
            left_out.into_iter().map(|change| change.resource).filter(|id| !touched.contains(id)).collect();
        let lines = resources.into_iter().map(|resource| ReportLine { resource, reason: ReportReason::NotTargeted });
        self.report.extend(lines);
        self.report.sort_by(|one, other| one.resource.cmp(&other.resource));
        self.base.targets.clone_from(targets);
        Self { changes, ..self }
    }
}

fn kept(changes: &[Change], targets: &BTreeSet<ResourceId>) -> BTreeSet<ActionId> {
    let by_id: BTreeMap<&ActionId, &Change> = changes.iter().map(|change| (&change.id, change)).collect();
    let mut queue: Vec<&Change> = changes.iter().filter(|change| targets.contains(&change.resource)).collect();
    let mut kept = BTreeSet::new();
    while let Some(change) = queue.pop() {
        if !kept.insert(change.id.clone()) {
            continue;
        }
        queue.extend(change.depends_on.iter().filter_map(|id| by_id.get(id)));
        // What goes away with it must be forgotten with it; a replace is done as a whole.
        queue.extend(changes.iter().filter(|other| match &other.reason {
            Reason::ContainedIn { parent } => *parent == change.resource,
            _ => other.resource == change.resource,
        }));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Base, Operation};

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    /// `update machine/b` waits for `update network/a`; `create config/c` for the former; `delete machine/d` takes
    /// `config/d` with it.
    fn plan() -> Plan {
        let network = Change::new(&id("network/a"), Operation::Update, Reason::SpecChanged);
        let mut machine = Change::new(&id("machine/b"), Operation::Update, Reason::SpecChanged);
        machine.depends_on.insert(network.id.clone());
        let mut config = Change::new(&id("config/c"), Operation::Create, Reason::New);
        config.depends_on.insert(machine.id.clone());
        let contained = Reason::ContainedIn { parent: id("machine/d") };
        let forget = Change::new(&id("config/d"), Operation::Forget, contained);
        let delete = Change::new(&id("machine/d"), Operation::Delete, Reason::NoLongerWanted);
        Plan { changes: vec![network, machine, config, forget, delete], ..Plan::empty(Base::of_nothing("demo")) }
    }

    fn changed(plan: &Plan) -> Vec<&str> {
        plan.changes.iter().map(|change| change.id.as_str()).collect()
    }

    #[test]
    fn a_target_brings_what_it_waits_for_and_nothing_that_waits_for_it() {
        let part = plan().limited_to(&BTreeSet::from([id("machine/b")]));
        assert_eq!(changed(&part), ["update network/a", "update machine/b"]);
        let left_out: Vec<&str> = part.report.iter().map(|line| line.resource.as_str()).collect();
        assert_eq!(left_out, ["config/c", "config/d", "machine/d"]);
        assert!(part.report.iter().all(|line| line.reason == ReportReason::NotTargeted));
        assert_eq!(part.base.targets, BTreeSet::from([id("machine/b")]));
    }

    #[test]
    fn what_goes_away_with_a_target_is_forgotten_with_it() {
        let part = plan().limited_to(&BTreeSet::from([id("machine/d")]));
        assert_eq!(changed(&part), ["forget config/d", "delete machine/d"]);
    }

    #[test]
    fn without_targets_a_plan_stays_whole() {
        assert_eq!(plan().limited_to(&BTreeSet::new()), plan());
    }
}
