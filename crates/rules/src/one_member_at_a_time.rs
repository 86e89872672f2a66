//! Members of etcd are taken away one at a time, even where more could go without losing the quorum.

use crate::{Finding, RuleInput, machines};

const NAME: &str = "one-member-at-a-time";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let members = input.intent.control_planes;
    let removed = machines::removed(input);
    // Where the quorum goes, `quorum` and `last-control-plane` speak.
    if !input.intent.stays() || removed.len() < 2 || machines::left(input) < machines::quorum(members.len()) {
        return Vec::new();
    }
    let message = format!(
        "the plan takes away {} of {} control planes at once: until etcd has let go of the first, a failure of one more \
         machine could cost the quorum",
        removed.len(),
        members.len()
    );
    let hint = format!(
        "take one away, wait until the cluster is well (kubewright validate cluster {}), then the next",
        input.intent.cluster
    );
    vec![Finding::refuse(NAME, message, hint).about(removed.into_values())]
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn taking_two_of_five_is_refused_though_three_would_be_a_quorum() {
        let world = World::made(5).delete("machine/demo/cp-1").delete("machine/demo/cp-2");
        assert_eq!(world.refusals(), ["one-member-at-a-time"]);
    }

    #[test]
    fn taking_one_or_deleting_the_cluster_is_not_refused_for_that() {
        assert!(World::made(5).delete("machine/demo/cp-1").refusals().is_empty());
        let all = World::made(5).delete("machine/demo/cp-1").delete("machine/demo/cp-2").wanting_nothing();
        assert!(all.refusals().is_empty());
    }
}
