//! Several control planes that restart at once take the API away for a while, though one after the other would not.

use std::collections::BTreeSet;

use plan::Change;
use resource::Effect;

use crate::{Finding, RuleInput, machines};

const NAME: &str = "control-planes-at-once";

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let members = input.intent.control_planes;
    // Of one control plane `single-control-plane` speaks.
    if members.len() < 2 || !input.intent.stays() {
        return Vec::new();
    }
    let etcd = disturbed(input, "etcd");
    let servers = disturbed(input, "kube-apiserver");
    let what = if members.len() - etcd.len() < machines::quorum(members.len()) {
        "etcd"
    } else if servers.len() == members.len() {
        "kube-apiserver"
    } else {
        return Vec::new();
    };
    let hit = if what == "etcd" { &etcd } else { &servers };
    let message = format!(
        "the plan restarts {what} on {} of {} control planes at about the same time: the API does not answer meanwhile",
        hit.len(),
        members.len()
    );
    let hint = "pods go on running meanwhile; restarting one after the other is not supported yet";
    let resources = input.plan.changes.iter().filter(|change| hit.iter().any(|name| interrupts(change, name, what)));
    vec![Finding::warn(NAME, message, hint).about(resources.map(|change| &change.resource))]
}

/// Control planes on which a static pod restarts.
fn disturbed<'a>(input: &RuleInput<'a>, pod: &str) -> BTreeSet<&'a str> {
    let names = input.intent.control_planes.iter().map(String::as_str);
    names.filter(|name| input.plan.changes.iter().any(|change| interrupts(change, name, pod))).collect()
}

fn interrupts(change: &Change, name: &str, pod: &str) -> bool {
    change.effects.iter().any(|effect| match effect {
        Effect::Restarts { unit, machine } => machine == name && unit == pod,
        Effect::Reboots { machine } => machine == name,
        Effect::Drains { .. } | Effect::LosesData { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use resource::Effect;

    use crate::testing::World;

    fn restarting(unit: &str, names: &[&str]) -> World {
        names.iter().fold(World::made(3), |world, name| {
            let effect = Effect::Restarts { unit: unit.to_owned(), machine: (*name).to_owned() };
            world.update(&format!("machine-config/{name}"), effect)
        })
    }

    #[test]
    fn restarting_most_of_etcd_or_every_api_server_is_said() {
        assert_eq!(restarting("etcd", &["cp-1", "cp-2"]).warnings(), ["control-planes-at-once"]);
        assert_eq!(restarting("kube-apiserver", &["cp-1", "cp-2", "cp-3"]).warnings(), ["control-planes-at-once"]);
    }

    #[test]
    fn what_leaves_an_api_is_no_matter() {
        assert!(restarting("etcd", &["cp-1"]).warnings().is_empty());
        assert!(restarting("kube-apiserver", &["cp-1", "cp-2"]).warnings().is_empty());
        assert!(restarting("kube-scheduler", &["cp-1", "cp-2", "cp-3"]).warnings().is_empty());
    }
}
