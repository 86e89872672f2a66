//! What cannot be looked at is not deleted, so a cluster with such a part is not gone after its delete.

use plan::ReportReason;
use resource::ResourceId;

use crate::{Finding, RuleInput};

const NAME: &str = "unknown-blocks-delete";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    if input.intent.stays() {
        return Vec::new();
    }
    let blocked =
        |reason: &ReportReason| matches!(reason, ReportReason::Unknown { .. } | ReportReason::WaitsFor { .. });
    let lines = input.plan.report.iter().filter(|line| blocked(&line.reason));
    let resources: Vec<&ResourceId> = lines.map(|line| &line.resource).collect();
    if resources.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "{} of the cluster's resources could not be looked at, or wait for such a one: they stay, and so does the record",
        resources.len()
    );
    let hint = "see why above, make them reachable, then run the same command again";
    vec![Finding::warn(NAME, message, hint).about(resources)]
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn something_unknown_is_named_when_the_cluster_is_deleted() {
        let world = World::made(1).unknown("machine/demo/w-1").wanting_nothing();
        assert_eq!(world.warnings(), ["unknown-blocks-delete"]);
    }

    #[test]
    fn a_cluster_that_stays_only_has_it_in_its_report() {
        assert!(World::made(1).unknown("machine/demo/w-1").warnings().is_empty());
        assert!(World::made(1).delete("machine/demo/w-1").wanting_nothing().warnings().is_empty());
    }
}
