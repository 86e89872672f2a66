//! The quorum comes first: what would break it is left for a later plan.

use std::collections::{BTreeMap, BTreeSet};

use resource::ResourceId;

use crate::disruption::is_taken_down;
use crate::machines::Machines;
use crate::{ActionId, Change, Plan, Reason, ReportLine, ReportReason};

/// The static pod of which the quorum is made.
const MEMBER: &str = "etcd";

impl Plan {
    /// The same without what would take members of the quorum away while others are away or could not be seen, so that the rest
    /// would be none, and without what waits for that. Those become lines of the report.
    ///
    /// Others whose etcd the plan itself starts again are no reason: they come first. Where the quorum was seen to be lost, there
    /// is nothing to keep. A plan that is limited to targets stays whole: whoever names them may know that one which nobody could
    /// see is well.
    #[must_use]
    pub fn sparing_quorum(mut self, machines: &Machines) -> Self {
        if !self.base.targets.is_empty() || machines.none_is_wanted() || machines.lost_their_quorum() {
            return self;
        }
        let held = held(&self.changes, machines);
        if held.is_empty() {
            return self;
        }
        let changes = std::mem::take(&mut self.changes);
        let (left_out, changes): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| held.contains_key(&change.id));
        let lines: BTreeMap<ResourceId, ReportReason> =
            left_out.into_iter().filter_map(|change| Some((change.resource, held.get(&change.id)?.clone()))).collect();
        self.report.extend(lines.into_iter().map(|(resource, reason)| ReportLine { resource, reason }));
        self.report.sort_by(|one, other| one.resource.cmp(&other.resource));
        Self { changes, ..self }
    }
}

/// What is left out, and why: what waits for it, and what is carried out with it or not at all, has its reason.
fn held(changes: &[Change], machines: &Machines) -> BTreeMap<ActionId, ReportReason> {
    let stops = |change: &&Change| is_taken_down(change, machines, &[MEMBER]);
    let started_again: BTreeSet<&ResourceId> =
        changes.iter().filter(stops).filter_map(|change| machines.of_resource(&change.resource)).collect();
    let returns = |member: &ResourceId| machines.is_away(member) && started_again.contains(member);
    let at_risk = changes.iter().filter(stops).filter_map(|change| {
        let away = machines.keeps(machines.of_resource(&change.resource)?, returns)?;
        Some((change, ReportReason::QuorumAtRisk { away: away.clone() }))
    });
    let mut queue: Vec<(&Change, ReportReason)> = at_risk.collect();
    let mut held = BTreeMap::new();
    if queue.is_empty() {
        return held;
    }
    let (together, after) = (together(changes), after(changes));
    while let Some((change, reason)) = queue.pop() {
        if held.contains_key(&change.id) {
            continue;
        }
        let with = together.get(whole(change)).into_iter().chain(after.get(&change.id)).flatten();
        queue.extend(with.map(|other| (*other, reason.clone())));
        held.insert(change.id.clone(), reason);
    }
    held
}

/// The resource whose change a change is a part of: its own, or the one that takes it along.
fn whole(change: &Change) -> &ResourceId {
    match &change.reason {
        Reason::ContainedIn { parent } => parent,
        _ => &change.resource,
    }
}

/// Changes that are carried out together or not at all, by their resource: those of one resource, and those that it takes along.
fn together(changes: &[Change]) -> BTreeMap<&ResourceId, Vec<&Change>> {
    let mut together: BTreeMap<&ResourceId, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        together.entry(whole(change)).or_default().push(change);
    }
    together
}

/// What waits for each change, its own steps among it.
fn after(changes: &[Change]) -> BTreeMap<&ActionId, Vec<&Change>> {
    let mut after: BTreeMap<&ActionId, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let step_of = match &change.reason {
            Reason::StepOf { change } => Some(change),
            _ => None,
        };
        for before in change.depends_on.iter().chain(step_of) {
            after.entry(before).or_default().push(change);
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use resource::{Desired, Effect, KindSchema, MEMBER_SERVES, Observation, Recorded};
    use serde_json::json;

    use super::*;
    use crate::{Base, Operation};

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    /// Members `a`, `b`, … and a worker `w`, recorded and wanted, as they were seen.
    fn machines(members: &[&str], seen: &[(&str, Observation)]) -> Machines {
        made(members, members, seen)
    }

    /// The same where only some were ever made.
    fn made(made: &[&str], members: &[&str], seen: &[(&str, Observation)]) -> Machines {
        let config = KindSchema { is_member: |inputs| inputs["etcd"] == true, ..KindSchema::plain("config") };
        let schemas = [config, KindSchema::plain("machine").power("running")];
        let schemas = schemas.map(|schema| (schema.kind.to_owned(), schema)).into();
        let all: Vec<&str> = members.iter().chain(&["w"]).copied().collect();
        let inputs = |name: &str| json!({"etcd": members.contains(&name)});
        let below = |name: &str| BTreeSet::from([id(&format!("machine/{name}"))]);
        let config = |name: &&str| id(&format!("config/{name}"));
        let recorded =
            |name: &&str| (config(name), Recorded { depends_on: below(name), ..Recorded::of_inputs(1, inputs(name)) });
        let desired = |name: &&str| {
            let desired = Desired::new(config(name), inputs(name));
            (config(name), below(name).into_iter().fold(desired, Desired::after))
        };
        let serves = |name: &&str| (config(name), serving(true));
        let seen = seen.iter().map(|(name, seen)| (id(name), seen.clone()));
        let observed = all.iter().map(serves).chain(seen).collect();
        let recorded = all.iter().filter(|name| made.contains(name) || **name == "w").map(recorded).collect();
        let desired = all.iter().map(desired).collect();
        Machines::of(&recorded, &desired, &schemas).as_seen(&observed)
    }

    fn serving(serves: bool) -> Observation {
        Observation::present(json!({})).with_output(MEMBER_SERVES, serves.into())
    }

    fn unseen() -> Observation {
        Observation::unknown("it cannot be reached")
    }

    fn restart(name: &str) -> Change {
        let effects = vec![Effect::Restarts { unit: "etcd".to_owned(), machine: name.to_owned() }];
        Change { effects, ..Change::new(&id(&format!("config/{name}")), Operation::Update, Reason::SpecChanged) }
    }

    fn plan(changes: Vec<Change>) -> Plan {
        Plan { changes, ..Plan::empty(Base::of_nothing("demo")) }
    }

    fn spared(names: &[&str], machines: &Machines) -> Plan {
        plan(names.iter().map(|name| restart(name)).collect()).sparing_quorum(machines)
    }

    fn changed(plan: &Plan) -> Vec<&str> {
        plan.changes.iter().map(|change| change.id.as_str()).collect()
    }

    const THREE: [&str; 3] = ["a", "b", "c"];

    #[test]
    fn no_member_is_taken_away_while_another_is_away_or_was_not_seen() {
        let off = Observation::present(json!({"running": false}));
        for seen in [("config/b", unseen()), ("config/b", serving(false)), ("machine/b", off)] {
            let left = spared(&["a", "c", "w"], &machines(&THREE, std::slice::from_ref(&seen)));
            assert_eq!(changed(&left), ["update config/w"], "{seen:?}");
            let reason = ReportReason::QuorumAtRisk { away: id("config/b") };
            assert!(
                left.report.len() == 2 && left.report.iter().all(|line| line.reason == reason),
                "{:?}",
                left.report
            );
            assert!(left.report[0].reason.calls_for_another_look(), "another phase looks again");
        }
    }

    #[test]
    fn what_waits_for_a_change_that_is_left_out_is_left_out_too() {
        let mut node = Change::new(&id("node/a"), Operation::Update, Reason::SpecChanged);
        node.depends_on.insert(restart("a").id);
        let before = Change::new(&id("file/a"), Operation::Update, Reason::SpecChanged);
        let plan = plan(vec![before, restart("a"), node]);
        let left = plan.sparing_quorum(&machines(&THREE, &[("config/b", unseen())]));
        assert_eq!(changed(&left), ["update file/a"]);
        assert_eq!(left.report[1].reason, ReportReason::QuorumAtRisk { away: id("config/b") });
    }

    #[test]
    fn a_member_that_the_plan_brings_back_comes_first() {
        let machines = machines(&THREE, &[("config/b", serving(false))]);
        let laid_out = spared(&["a", "b", "c"], &machines).within_budgets(&machines).unwrap();
        assert_eq!(changed(&laid_out), ["update config/b", "update config/a", "update config/c"]);
        assert_eq!(laid_out.changes[1].depends_on, BTreeSet::from([restart("b").id]));
    }

    #[test]
    fn what_leaves_a_quorum_is_done() {
        let five = machines(&["a", "b", "c", "d", "e"], &[("config/b", unseen())]);
        assert_eq!(changed(&spared(&["a", "c"], &five)), ["update config/a", "update config/c"]);
        assert_eq!(changed(&spared(&["a"], &machines(&["a"], &[]))), ["update config/a"]);
        assert_eq!(changed(&spared(&["b"], &machines(&THREE, &[("config/b", serving(false))]))), ["update config/b"]);
    }

    #[test]
    fn a_member_that_does_not_serve_is_mended_whoever_else_is_not_seen() {
        let machines = machines(&THREE, &[("config/b", serving(false)), ("config/c", unseen())]);
        assert_eq!(changed(&spared(&["b"], &machines)), ["update config/b"]);
        let off = Observation::present(json!({"running": false}));
        let machines = self::machines(&THREE, &[("machine/b", off), ("config/b", unseen()), ("config/c", unseen())]);
        assert_eq!(changed(&spared(&["b"], &machines)), ["update config/b"]);
    }

    #[test]
    fn a_creation_that_was_interrupted_before_all_members_were_made_is_ended_at_once() {
        let not_made_yet = || Observation::present(json!({}));
        let machines = machines(
            &THREE,
            &[("config/a", serving(false)), ("config/b", not_made_yet()), ("config/c", not_made_yet())],
        );
        let laid_out = spared(&["a", "b", "c"], &machines).within_budgets(&machines).unwrap();
        assert!(laid_out.changes.len() == 3 && laid_out.changes.iter().all(|change| change.depends_on.is_empty()));
    }

    #[test]
    fn restarting_an_api_server_costs_the_quorum_nothing() {
        let machines = machines(&THREE, &[("config/b", unseen())]);
        let effects = vec![Effect::Restarts { unit: "kube-apiserver".to_owned(), machine: "a".to_owned() }];
        let left = plan(vec![Change { effects, ..restart("a") }]).sparing_quorum(&machines);
        assert_eq!(changed(&left), ["update config/a"]);
        assert!(left.report.is_empty(), "{:?}", left.report);
    }

    #[test]
    fn a_member_that_is_named_as_a_target_is_changed_whatever_is_away_with_what_it_waits_for() {
        let machines = machines(&THREE, &[("config/b", unseen())]);
        let effects = vec![Effect::Reboots { machine: "a".to_owned() }];
        let boot = Change { effects, ..Change::new(&id("machine/a"), Operation::Update, Reason::SpecChanged) };
        let mut config = restart("a");
        config.depends_on.insert(boot.id.clone());
        let plan = plan(vec![boot, config, restart("c")]);
        assert!(changed(&plan.clone().sparing_quorum(&machines)).is_empty());
        let limited = plan.limited_to(&BTreeSet::from([id("config/a")]));
        assert_eq!(changed(&limited.sparing_quorum(&machines)), ["update machine/a", "update config/a"]);
    }

    #[test]
    fn a_member_whose_api_server_alone_restarts_is_not_brought_back_by_that() {
        let machines = machines(&THREE, &[("config/b", serving(false))]);
        let effects = vec![Effect::Restarts { unit: "kube-apiserver".to_owned(), machine: "b".to_owned() }];
        let left = plan(vec![restart("a"), Change { effects, ..restart("b") }]).sparing_quorum(&machines);
        assert_eq!(changed(&left), ["update config/b"]);
    }

    #[test]
    fn a_member_that_was_never_made_is_missed() {
        let absent = Observation::Absent;
        let machines = made(&["a", "c"], &THREE, &[("config/b", absent.clone()), ("machine/b", absent)]);
        let create = Change::new(&id("config/b"), Operation::Create, Reason::New);
        assert_eq!(changed(&plan(vec![restart("a"), create]).sparing_quorum(&machines)), ["create config/b"]);
    }

    #[test]
    fn who_says_that_it_serves_says_that_there_is_a_quorum() {
        let seen = [("config/a", serving(false)), ("config/b", serving(false)), ("config/c", serving(true))];
        assert!(!machines(&THREE, &seen).lost_their_quorum());
    }

    #[test]
    fn members_of_a_lost_quorum_are_changed_at_once_and_others_after_them() {
        let seen = [("config/a", serving(false)), ("config/b", serving(false)), ("config/c", unseen())];
        let lost = machines(&THREE, &seen);
        let mut changes: Vec<Change> = ["w", "a", "b"].map(restart).into();
        changes.push(Change::new(&id("machine/c"), Operation::Update, Reason::Drifted));
        let laid_out = plan(changes).sparing_quorum(&lost).within_budgets(&lost).unwrap();
        assert_eq!(changed(&laid_out), ["update config/a", "update config/b", "update machine/c", "update config/w"]);
        let (worker, members) = laid_out.changes.split_last().unwrap();
        assert!(members.iter().all(|change| change.depends_on.is_empty()));
        assert_eq!(worker.depends_on, members.iter().map(|change| change.id.clone()).collect());
    }
}
