//! How often a cluster is looked at in one update: what was off at first can be seen once it is on.

use plan::Plan;
use report::words;

use crate::app::App;
use crate::output::Format;

/// Which look at the cluster this is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// As it was found.
    #[default]
    First,
    /// Machines were started: what is on them can be seen.
    Machines,
    /// The cluster's API answers.
    Cluster,
}

impl Phase {
    /// The look that a plan calls for after it was carried out, because some of it could not be seen.
    pub(super) fn after(self, plan: &Plan) -> Option<Self> {
        match self {
            _ if plan.to_look_at_again().next().is_none() => None,
            Self::First => Some(Self::Machines),
            Self::Machines => Some(Self::Cluster),
            Self::Cluster => None,
        }
    }

    /// Says that a plan is not all: what of the cluster can only be planned when it was carried out.
    pub(super) fn foretell(self, app: &App, plan: &Plan) {
        if let Some(text) = self.foretold(plan) {
            app.say(text);
        }
    }

    fn foretold(self, plan: &Plan) -> Option<String> {
        self.after(plan).filter(|_| !plan.is_empty())?;
        let left = plan.to_look_at_again().count();
        Some(format!(
            "\nA further phase follows: when these changes are carried out, {} that could not be looked at, or had to wait, {} looked at \
             again. What that leads to is shown first, and with --yes carried out in the same run.",
            words::count(left, "resource"),
            if left == 1 { "is" } else { "are" },
        ))
    }

    /// What stands above the changes of a further phase.
    pub(super) fn title(self, plan: &Plan) -> Option<&'static str> {
        match self {
            _ if plan.is_empty() => None,
            Self::First => None,
            Self::Machines => Some("\nFurther phase, planned now that machines are on:\n"),
            Self::Cluster => Some("\nFurther phase, planned now that the cluster's API answers:\n"),
        }
    }

    /// Whether a plan is shown: a second one only when it has something to say, and never as a second document.
    pub(super) fn shows(self, plan: &Plan, format: Format) -> bool {
        match self {
            Self::First => true,
            Self::Machines => format == Format::Text && !plan.is_empty(),
            // What is still out of sight is told at the end.
            Self::Cluster => format == Format::Text && (!plan.is_empty() || plan.report.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use plan::{Base, Change, Operation, Reason, ReportLine, ReportReason};
    use resource::ResourceId;

    use super::*;

    fn plan(changes: usize, reason: Option<ReportReason>) -> Plan {
        let id = |number: usize| ResourceId::new("machine", &number.to_string());
        let changes = (0..changes).map(|number| Change::new(&id(number), Operation::Update, Reason::Drifted)).collect();
        let report = reason.into_iter().map(|reason| ReportLine { resource: id(9), reason }).collect();
        Plan { changes, report, ..Plan::empty(Base::of_nothing("demo")) }
    }

    #[test]
    fn what_could_not_be_seen_is_looked_at_again_twice_at_most() {
        let blind = plan(1, Some(ReportReason::Unknown { why: "it is off".into() }));
        assert_eq!(Phase::First.after(&blind), Some(Phase::Machines));
        assert_eq!(Phase::Machines.after(&blind), Some(Phase::Cluster));
        assert_eq!(Phase::Cluster.after(&blind), None);
        let waiting = plan(1, Some(ReportReason::WaitsFor { on: ResourceId::new("cluster", "demo") }));
        assert_eq!(Phase::First.after(&waiting), Some(Phase::Machines));
    }

    #[test]
    fn a_phase_that_follows_is_foretold_and_no_other() {
        let unknown = || Some(ReportReason::Unknown { why: "it is off".into() });
        let told = Phase::First.foretold(&plan(1, unknown())).unwrap();
        assert!(told.contains("1 resource that could not be looked at, or had to wait, is looked at again"), "{told}");
        assert_eq!(Phase::Cluster.foretold(&plan(1, unknown())), None, "it is the last one");
        assert_eq!(Phase::First.foretold(&plan(0, unknown())), None, "nothing is carried out");
        assert_eq!(Phase::First.foretold(&plan(1, None)), None);
    }

    #[test]
    fn what_is_only_shared_or_foreign_calls_for_no_other_look() {
        assert_eq!(Phase::First.after(&plan(1, None)), None);
        assert_eq!(Phase::First.after(&plan(1, Some(ReportReason::Foreign))), None);
    }

    #[test]
    fn a_second_plan_is_shown_when_it_has_changes_and_not_as_a_second_document() {
        assert!(Phase::First.shows(&plan(0, None), Format::Json));
        assert!(Phase::Machines.shows(&plan(1, None), Format::Text));
        assert!(!Phase::Machines.shows(&plan(0, None), Format::Text));
        assert!(!Phase::Cluster.shows(&plan(1, None), Format::Json));
    }
}
