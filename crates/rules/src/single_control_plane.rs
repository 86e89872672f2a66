//! A cluster with one control plane has no API while that one restarts.

use plan::Change;
use resource::Effect;

use crate::{Finding, RuleInput};

const NAME: &str = "single-control-plane";

/// Static pods without which the API does not answer.
const API: [&str; 2] = ["etcd", "kube-apiserver"];

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let mut names = input.intent.control_planes.iter();
    let (Some(only), None, true) = (names.next(), names.next(), input.intent.stays()) else { return Vec::new() };
    let is_cut_off = |change: &&Change| change.effects.iter().any(|effect| interrupts(effect, only));
    let resources: Vec<_> = input.plan.changes.iter().filter(is_cut_off).map(|change| &change.resource).collect();
    if resources.is_empty() {
        return Vec::new();
    }
    let message = format!("{only} is the only control plane: the API does not answer while the plan restarts it");
    let hint = "pods go on running meanwhile; a cluster with three control planes has no such pause";
    vec![Finding::warn(NAME, message, hint).about(resources)]
}

fn interrupts(effect: &Effect, name: &str) -> bool {
    match effect {
        Effect::Restarts { unit, machine } => machine == name && API.contains(&unit.as_str()),
        Effect::Reboots { machine } => machine == name,
        Effect::Drains { .. }
        | Effect::Loses { .. }
        | Effect::LosesData { .. }
        | Effect::Resizes { .. }
        | Effect::TurnsAway { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use resource::Effect;

    use crate::testing::World;

    fn restart(unit: &str, machine: &str) -> Effect {
        Effect::Restarts { unit: unit.to_owned(), machine: machine.to_owned() }
    }

    #[test]
    fn restarting_the_only_api_server_is_said() {
        let world = World::made(1).update("machine-config/cp-1", restart("kube-apiserver", "cp-1"));
        assert_eq!(world.warnings(), ["single-control-plane"]);
        let world = World::made(1).update("machine/demo/cp-1", Effect::Reboots { machine: "cp-1".to_owned() });
        assert_eq!(world.warnings(), ["single-control-plane"]);
    }

    #[test]
    fn kubelets_workers_and_several_control_planes_are_no_matter() {
        assert!(World::made(1).update("machine-config/cp-1", restart("kubelet.service", "cp-1")).warnings().is_empty());
        assert!(World::made(1).update("machine-config/w-1", restart("kube-apiserver", "w-1")).warnings().is_empty());
        assert!(World::made(3).update("machine-config/cp-1", restart("etcd", "cp-1")).warnings().is_empty());
    }
}
