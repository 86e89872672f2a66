//! No more is deleted or replaced than the user allows.

use plan::{Change, Operation};

use crate::{Finding, RuleInput};

const NAME: &str = "max-destroy";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let Some(most) = input.max_destroy else { return Vec::new() };
    let destroyed: Vec<&Change> =
        input.plan.changes.iter().filter(|change| change.operation == Operation::Delete).collect();
    if destroyed.len() <= most {
        return Vec::new();
    }
    let replaced = destroyed.iter().filter(|change| change.replaces).count();
    let message = format!(
        "the plan deletes {} and replaces {replaced}, {} in all, and --max-destroy allows {most}",
        destroyed.len() - replaced,
        destroyed.len(),
    );
    let hint = format!("if this is meant: --max-destroy {}", destroyed.len());
    vec![Finding::refuse(NAME, message, hint).about(destroyed.into_iter().map(|change| &change.resource))]
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn deletes_and_replaces_count() {
        let world = World::made(3).delete("network/a").replace("machine/demo/w-1").create("machine/demo/w-1");
        assert_eq!(world.allowing(1).refusals(), ["max-destroy"]);
    }

    #[test]
    fn as_many_as_allowed_are_fine_and_forgetting_does_not_count() {
        let world = World::made(3).delete("network/a").delete("machine/demo/w-1").forget_gone("object/x");
        assert!(world.allowing(2).refusals().is_empty());
    }
}
