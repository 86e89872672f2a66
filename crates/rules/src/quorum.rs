//! etcd keeps more than half of its members.

use crate::{Finding, RuleInput, machines};

const NAME: &str = "quorum";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let members = input.intent.control_planes;
    let (removed, gone) = (machines::removed(input), machines::gone(input));
    let left = machines::left(input);
    let needed = machines::quorum(members.len());
    // With nobody left, `last-control-plane` says it all.
    if !input.intent.stays() || removed.is_empty() || left == 0 || left >= needed {
        return Vec::new();
    }
    let missing = if gone.is_empty() { String::new() } else { format!(", and {} are gone already", gone.len()) };
    let message = format!(
        "the plan takes away {} of {} control planes{missing}: {left} would be left, but etcd needs {needed} to work",
        removed.len(),
        members.len(),
    );
    let hint = "change control planes one at a time, and only while all others are well";
    vec![Finding::refuse(NAME, message, hint).about(removed.into_values())]
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn taking_two_of_three_is_refused() {
        let world = World::made(3).delete("machine/demo/cp-1").delete("machine/demo/cp-2");
        assert_eq!(world.refusals(), ["quorum"]);
    }

    #[test]
    fn a_member_that_is_gone_already_counts() {
        let world = World::made(3).delete("machine/demo/cp-1").forget_gone("machine/demo/cp-2");
        assert_eq!(world.refusals(), ["quorum"]);
    }

    #[test]
    fn taking_one_of_three_or_any_worker_is_not_refused_for_quorum() {
        assert!(World::made(3).delete("machine/demo/cp-1").refusals().is_empty());
        assert!(World::made(3).delete("machine/demo/w-1").delete("machine/demo/w-2").refusals().is_empty());
    }
}
