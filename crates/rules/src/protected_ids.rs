//! What the user protects is neither deleted nor replaced.

use plan::{Change, Operation, Reason};
use resource::ResourceId;

use crate::{Finding, RuleInput};

const NAME: &str = "protected";
const HINT: &str = "if this is meant, take it out of `spec.protection.resources` of the cluster's documents first";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let lost = input.plan.changes.iter().filter(|change| is_lost(change));
    let hit: Vec<&ResourceId> =
        lost.map(|change| &change.resource).filter(|id| input.protected.contains(*id)).collect();
    if hit.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = hit.iter().map(|id| id.as_str()).collect();
    let message = format!("protected, but deleted or replaced by the plan: {}", names.join(", "));
    vec![Finding::refuse(NAME, message, HINT).about(hit)]
}

/// What is deleted, and what goes away because that which it is in is deleted.
fn is_lost(change: &Change) -> bool {
    match change.operation {
        Operation::Delete => true,
        Operation::Forget => matches!(change.reason, Reason::ContainedIn { .. }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn a_protected_resource_is_neither_deleted_nor_replaced() {
        assert_eq!(World::made(1).protect("network/demo").delete("network/demo").refusals(), ["protected"]);
        let replaced = World::made(1).protect("machine/demo/w-1").replace("machine/demo/w-1").wanting_nothing();
        assert_eq!(replaced.refusals(), ["protected"]);
    }

    #[test]
    fn what_goes_away_with_its_machine_is_protected_too() {
        let world = World::made(1).protect("machine-config/w-1").delete("machine/demo/w-1");
        assert_eq!(world.contained("machine-config/w-1", "machine/demo/w-1").refusals(), ["protected"]);
        assert!(World::made(1).protect("node/w-1").forget_gone("node/w-1").refusals().is_empty());
    }

    #[test]
    fn it_may_be_changed_and_others_may_go() {
        let world = World::made(1).protect("network/demo").create("network/demo").delete("machine/demo/w-1");
        assert!(world.refusals().is_empty());
    }
}
