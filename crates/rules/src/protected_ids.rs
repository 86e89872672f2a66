//! What the user protects is neither deleted nor replaced.

use plan::Operation;
use resource::ResourceId;

use crate::{Finding, RuleInput};

const NAME: &str = "protected";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let deletes = input.plan.changes.iter().filter(|change| change.operation == Operation::Delete);
    let hit: Vec<&ResourceId> =
        deletes.map(|change| &change.resource).filter(|id| input.protected.contains(*id)).collect();
    if hit.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = hit.iter().map(|id| id.as_str()).collect();
    let message = format!("protected, but deleted or replaced by the plan: {}", names.join(", "));
    vec![Finding::refuse(NAME, message, "lift the protection if this is meant").about(hit)]
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
    fn it_may_be_changed_and_others_may_go() {
        let world = World::made(1).protect("network/demo").create("network/demo").delete("machine/demo/w-1");
        assert!(world.refusals().is_empty());
    }
}
