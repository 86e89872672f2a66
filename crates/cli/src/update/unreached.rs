//! Machines and other things that a run could not look at: it leaves them as they are, and says so once.

use std::collections::{BTreeMap, BTreeSet};

use model::Resolved;
use plan::{Plan, ReportLine, ReportReason};
use resource::ResourceId;

use crate::app::App;

/// The kind that stands for what is on a machine.
const CONFIG: &str = "machine-config";

/// Names of the machines on which nobody could look, and which this plan did not switch on.
pub(super) fn machines(plan: &Plan, resolved: &Resolved) -> BTreeSet<String> {
    out_of_reach(plan, &resolved.machines.iter().map(|machine| (machine.name.as_str(), &machine.resource)).collect())
}

/// The same with the resources that make machines, by name.
fn out_of_reach(plan: &Plan, machines: &BTreeMap<&str, &ResourceId>) -> BTreeSet<String> {
    let switched_on: BTreeSet<&ResourceId> = plan.changes.iter().map(|change| &change.resource).collect();
    let is_out_of_reach = |line: &&ReportLine| match &line.reason {
        ReportReason::WaitsFor { on } => !switched_on.contains(on),
        ReportReason::Unknown { .. } => {
            machines.get(line.resource.name()).is_none_or(|machine| !switched_on.contains(machine))
        }
        _ => false,
    };
    let configs = plan.report.iter().filter(|line| line.resource.kind() == CONFIG);
    configs.filter(is_out_of_reach).map(|line| line.resource.name().to_owned()).collect()
}

/// Says what could not be looked at, and what to type when that has been seen to.
pub(super) fn tell(app: &App, plan: &Plan, again: &str) {
    if let Some(text) = text(plan, again) {
        app.say(text);
    }
}

fn text(plan: &Plan, again: &str) -> Option<String> {
    let unknown = plan.report.iter().filter_map(|line| match &line.reason {
        ReportReason::Unknown { why } => Some(format!("\n  {}: {why}", line.resource)),
        _ => None,
    });
    let unknown: String = unknown.collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "\nThe rest is done. This could not be looked at and was left as it is:{unknown}\n\nSee to it, then: {again}"
        )
    })
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
    fn where_everything_was_looked_at_there_is_nothing_to_tell() {
        let plan = plan(&[("node/x", ReportReason::Foreign)]);
        assert_eq!((text(&plan, ""), out_of_reach(&plan, &BTreeMap::new())), (None, BTreeSet::new()));
    }
}
