//! A cluster that stays keeps a control plane.

use crate::{Finding, RuleInput, machines};

const NAME: &str = "last-control-plane";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let removed = machines::removed(input);
    if !input.intent.stays() || removed.is_empty() || machines::left(input) > 0 {
        return Vec::new();
    }
    let message = "the plan takes away every control plane that the cluster has, and with them everything in etcd";
    let hint = format!(
        "undo what replaces them in the documents; to give the cluster up: kubewright delete cluster {}",
        input.intent.cluster
    );
    vec![Finding::refuse(NAME, message, hint).about(removed.into_values())]
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn replacing_the_only_control_plane_is_refused() {
        let world = World::made(1).replace("machine/demo/cp-1").create("machine/demo/cp-1");
        assert!(world.refusals().contains(&"last-control-plane".to_owned()));
    }

    #[test]
    fn emptying_the_only_control_plane_is_refused() {
        assert_eq!(World::made(1).delete("machine-config/cp-1").refusals(), ["last-control-plane"]);
    }

    #[test]
    fn workers_may_go_and_a_cluster_may_be_deleted() {
        assert!(World::made(1).delete("machine/demo/w-1").refusals().is_empty());
        assert!(World::made(1).delete("machine/demo/cp-1").wanting_nothing().refusals().is_empty());
    }
}
