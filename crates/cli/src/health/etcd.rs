//! etcd's members, as the control planes see them: as many as the spec has control planes, each of them well.

use std::collections::BTreeSet;

use futures::future::join_all;
use hosts::AgentError;
use machine::Gate;
use model::Machine;
use objects::validate::Finding;
use spec::Role;

use crate::open::Open;
use crate::reach;

/// What is wrong with the members. Every control plane is asked for all of them.
pub(super) async fn findings(open: &Open) -> Vec<Finding> {
    let planes = || open.resolved.machines.iter().filter(|machine| machine.role == Role::ControlPlane);
    let names: Vec<String> = planes().map(|machine| machine.name.clone()).collect();
    judge(join_all(planes().map(|machine| ask(open, machine, &names))).await)
}

/// Why a control plane does not call all members well.
async fn ask(open: &Open, machine: &Machine, names: &[String]) -> Result<(), String> {
    let gate = Gate::EtcdMembers { names: names.to_vec(), timeout_seconds: 0 };
    let target = reach::target(&open.cluster, &open.resolved, machine).map_err(|error| error.message)?;
    let asked = open.composition.hosts.run_gates(&target, vec![gate]).await;
    asked.map_err(|error| match error {
        // A gate says first for how long it was closed; nobody waited for this one.
        AgentError::Failed { why, .. } => why.split_once(": ").map_or(why.clone(), |(_, problem)| problem.to_owned()),
        other => other.to_string(),
    })
}

/// Where one control plane finds all of them well they are; another that could not be asked is told of as a node. Equal
/// answers are told once.
fn judge(answers: Vec<Result<(), String>>) -> Vec<Finding> {
    if answers.iter().any(Result::is_ok) {
        return Vec::new();
    }
    let problems: BTreeSet<String> = answers.into_iter().filter_map(Result::err).collect();
    let hint = "`kubectl --namespace kube-system get pods --selector component=etcd --output wide`";
    let finding = |problem| Finding { subject: "etcd".to_owned(), problem, hint: Some(hint.to_owned()), fails: true };
    problems.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_control_plane_finds_well_is_well() {
        assert_eq!(judge(vec![Err("cp-1 cannot be reached".to_owned()), Ok(())]), []);
    }

    #[test]
    fn what_all_say_is_told_once_and_fails() {
        let [found] =
            judge(vec![Err("cp-3 has no member".to_owned()), Err("cp-3 has no member".to_owned())]).try_into().unwrap();
        assert_eq!((found.subject.as_str(), found.problem.as_str(), found.fails), ("etcd", "cp-3 has no member", true));
    }
}
