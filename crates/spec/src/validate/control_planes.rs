//! Rule: there are control planes, as many as make a quorum worth having, and one is changed at a time.

use super::{Draft, Finding, World};
use crate::{InstanceGroup, MaxUnavailable, Role};

/// etcd's own advice: more members make writes slower and add little.
const MOST: u32 = 7;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster().filter(|_| world.is_complete()) else { return Vec::new() };
    let groups: Vec<_> = world.groups().iter().filter(|group| group.value.spec.role == Role::ControlPlane).collect();
    let count: u32 = groups.iter().map(|group| group.value.spec.count).sum();
    if count == 0 {
        let finding = Finding::error("spec::no-control-plane", "the cluster has no control-plane machine");
        let finding = match groups.first() {
            Some(group) => finding.at(*group, "spec.count"),
            None => finding.at(cluster, ""),
        };
        return vec![finding.help("add an InstanceGroup with `role: ControlPlane` and `count: 1` or `3`")];
    }
    let places = |finding: Finding| {
        groups.iter().fold(finding, |finding, group| {
            finding.and(group, "spec.count", format!("{} here", group.value.spec.count))
        })
    };
    let together: Vec<Finding> = groups.iter().filter_map(|group| at_once(group)).collect();
    if !together.is_empty() {
        return together;
    }
    if count.is_multiple_of(2) {
        let lost = (count - 1) / 2;
        let message =
            format!("{count} control-plane machines tolerate the loss of {lost}, no more than {} do", count - 1);
        let help = format!("write {} or {}", count - 1, count + 1);
        return vec![places(Finding::error("spec::even-control-planes", message)).help(help)];
    }
    if count > MOST {
        let message = format!("{count} etcd members make every write slower; {MOST} are the most that etcd advises");
        return vec![places(Finding::warning("spec::many-control-planes", message))];
    }
    if count == 1 && world.surroundings.is_new {
        let message =
            "with one control plane the API is away while its machine is, and its disk is the only copy of etcd";
        let help = "fine for trials; three control planes survive the loss of one, and more can't be added later";
        return vec![places(Finding::warning("spec::one-control-plane", message)).help(help)];
    }
    Vec::new()
}

/// Refuses more of a group's control planes at once than one: the budget would not be kept to.
fn at_once(group: &Draft<InstanceGroup>) -> Option<Finding> {
    if group.value.spec.rolling_update.max_unavailable == MaxUnavailable::default() {
        return None;
    }
    let finding =
        Finding::error("spec::control-planes-at-once", "control planes are away one at a time, whatever is asked");
    Some(finding.at(group, "spec.rollingUpdate.maxUnavailable").help("leave it out; it is for groups of workers"))
}
