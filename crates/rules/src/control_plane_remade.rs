//! A control plane whose machine was lost is not made again as if it were new: etcd knows that member.

use crate::{Finding, RuleInput, machines};

const NAME: &str = "control-plane-remade";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let remade = machines::remade(input);
    if !input.intent.stays() || remade.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = remade.keys().copied().collect();
    let message = format!(
        "{} would be made anew with an empty etcd: a member that has lost its data cannot take its old place, and \
         replacing members is not supported yet",
        names.join(", ")
    );
    let hint = format!(
        "bring the machine's data back from a backup; or start over: kubewright delete cluster {0} --yes, then \
         kubewright create cluster {0}",
        input.intent.cluster
    );
    vec![Finding::refuse(NAME, message, hint).about(remade.into_values())]
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[test]
    fn a_lost_or_replaced_control_plane_is_not_made_again() {
        assert_eq!(World::made(3).drifted("machine/demo/cp-2").refusals(), ["control-plane-remade"]);
        let replaced = World::made(3).replace("machine/demo/cp-2").create("machine/demo/cp-2");
        assert_eq!(replaced.refusals(), ["control-plane-remade"]);
    }

    #[test]
    fn workers_and_machines_that_were_never_configured_are_made_again() {
        assert!(World::made(3).drifted("machine/demo/w-1").refusals().is_empty());
        assert!(World::made(0).drifted("machine/demo/cp-1").refusals().is_empty());
    }
}
