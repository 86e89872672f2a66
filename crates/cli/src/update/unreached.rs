//! What a run could not look at, and what it leaves undone for the sake of the quorum: it stays as it is, and that is said once.

use std::collections::{BTreeMap, BTreeSet};

use model::Resolved;
use plan::{Plan, ReportLine, ReportReason};
use report::words;
use resource::ResourceId;

use crate::app::App;
use crate::suggestion::Suggestion;

/// The kind that stands for what is on a machine.
const CONFIG: &str = "machine-config";

/// Names of the machines on which nobody could look, and which this plan did not switch on, and of those for whose sake others
/// were left as they are.
pub(super) fn machines(plan: &Plan, resolved: &Resolved) -> BTreeSet<String> {
    out_of_reach(plan, &resolved.machines.iter().map(|machine| (machine.name.as_str(), &machine.resource)).collect())
}

/// The same with the resources that make machines, by name.
fn out_of_reach(plan: &Plan, machines: &BTreeMap<&str, &ResourceId>) -> BTreeSet<String> {
    let switched_on: BTreeSet<&ResourceId> = plan.changes.iter().map(|change| &change.resource).collect();
    let away = plan.report.iter().filter_map(|line| Some(line.reason.held_by()?.name().to_owned()));
    let is_out_of_reach = |line: &&ReportLine| match &line.reason {
        ReportReason::WaitsFor { on } => !switched_on.contains(on),
        ReportReason::Unknown { .. } => {
            machines.get(line.resource.name()).is_none_or(|machine| !switched_on.contains(machine))
        }
        _ => false,
    };
    let configs = plan.report.iter().filter(|line| line.resource.kind() == CONFIG);
    configs.filter(is_out_of_reach).map(|line| line.resource.name().to_owned()).chain(away).collect()
}

/// Says what was left as it is, and what to type when the reason has been seen to.
pub(super) fn tell(app: &App, plan: &Plan, retry_command: &str) {
    if let Some(text) = text(plan, retry_command) {
        app.say(text);
    }
}

/// Says that a saved plan that was carried out is not all, and what to type to see the rest. Gives whether something is left.
pub(super) fn tell_after_saved(app: &App, plan: &Plan) -> bool {
    let Some(text) = text_after_saved(plan) else { return false };
    app.say(text);
    true
}

fn text_after_saved(plan: &Plan) -> Option<String> {
    let targets = &plan.base.targets;
    let is_asked_for = |line: &&ReportLine| targets.is_empty() || targets.contains(&line.resource);
    let left = plan.to_look_at_again().filter(is_asked_for).count();
    let command = Suggestion::new("update cluster").word(&plan.base.cluster).options("--target", targets).text();
    (left > 0).then(|| {
        format!(
            "\nThe plan is carried out, and it is not all: {} that could not be looked at before, or had to wait, {} not in it.\n\
             What is left to do: {command}",
            words::count(left, "resource"),
            if left == 1 { "is" } else { "are" },
        )
    })
}

fn text(plan: &Plan, retry_command: &str) -> Option<String> {
    let left = unknown(plan) + &held(plan);
    (!left.is_empty()).then(|| format!("\nThe rest is done.{left}\n\nSee to it, then: {retry_command}"))
}

fn unknown(plan: &Plan) -> String {
    let lines = plan.report.iter().filter_map(|line| match &line.reason {
        ReportReason::Unknown { why } => Some(format!("\n  {}: {why}", line.resource)),
        _ => None,
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!(" This could not be looked at and was left as it is:{lines}") }
}

fn held(plan: &Plan) -> String {
    let mut by_member: BTreeMap<&ResourceId, usize> = BTreeMap::new();
    for away in plan.report.iter().filter_map(|line| line.reason.held_by()) {
        *by_member.entry(away).or_default() += 1;
    }
    let lines = by_member.into_iter().map(|(away, count)| {
        let left = words::count(count, "resource");
        format!(
            "\n{away} is away or out of sight, and etcd could lose its majority by more: {left} had to wait for it."
        )
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use plan::Base;

    use super::*;

    fn plan(lines: &[(&str, ReportReason)]) -> Plan {
        let line =
            |(id, reason): &(&str, ReportReason)| ReportLine { resource: id.parse().unwrap(), reason: reason.clone() };
        Plan { report: lines.iter().map(line).collect(), ..Plan::empty(Base::of_nothing("demo")) }
    }

    #[test]
    fn a_machine_that_nobody_reaches_is_named_once_with_the_reason_and_what_to_type() {
        let why = || ReportReason::Unknown { why: "connection refused".into() };
        let on = || ResourceId::new("machine-config", "w-1");
        let plan = plan(&[
            ("machine-config/w-1", why()),
            ("image/w-1/agnhost", ReportReason::WaitsFor { on: on() }),
            ("node/x", ReportReason::Foreign),
        ]);
        assert_eq!(out_of_reach(&plan, &BTreeMap::new()), BTreeSet::from(["w-1".to_owned()]));
        let text = text(&plan, "kubewright update cluster demo --yes").unwrap();
        assert!(text.contains("\n  machine-config/w-1: connection refused\n") && !text.contains("image"), "{text}");
        assert!(text.ends_with("kubewright update cluster demo --yes"));
    }

    #[test]
    fn what_is_left_for_the_sake_of_the_quorum_is_named_with_the_member_that_is_away() {
        let at_risk = || ReportReason::QuorumAtRisk { away: ResourceId::new("machine-config", "cp-2") };
        let plan = plan(&[("machine-config/cp-1", at_risk()), ("machine-config/cp-3", at_risk())]);
        let text = text(&plan, "kubewright update cluster demo --yes").unwrap();
        assert!(
            text.contains("done.\nmachine-config/cp-2 is away") && text.contains("2 resources had to wait"),
            "{text}"
        );
        assert_eq!(out_of_reach(&plan, &BTreeMap::new()), BTreeSet::from(["cp-2".to_owned()]));
        assert!(text.ends_with("See to it, then: kubewright update cluster demo --yes"), "{text}");
    }

    #[test]
    fn after_a_saved_plan_what_was_not_in_it_is_told_with_the_command_that_shows_it() {
        let off = ReportReason::Unknown { why: "its machine is off".into() };
        let text = text_after_saved(&plan(&[("machine-config/w-1", off), ("node/x", ReportReason::Foreign)])).unwrap();
        assert!(text.contains("1 resource that could not be looked at before, or had to wait, is not in it"), "{text}");
        assert!(text.ends_with("What is left to do: kubewright update cluster demo"), "{text}");
        let off = ReportReason::Unknown { why: "its machine is off".into() };
        let mut targeted = plan(&[("machine-config/w-1", off)]);
        targeted.base.targets = BTreeSet::from(["node/w-2".parse().unwrap()]);
        assert_eq!(text_after_saved(&targeted), None, "nobody asked for the others");
    }

    #[test]
    fn where_everything_was_looked_at_there_is_nothing_to_tell() {
        let plan = plan(&[("node/x", ReportReason::Foreign)]);
        assert_eq!(text_after_saved(&plan), None);
        assert_eq!((text(&plan, ""), out_of_reach(&plan, &BTreeMap::new())), (None, BTreeSet::new()));
    }
}
