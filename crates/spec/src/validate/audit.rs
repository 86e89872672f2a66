//! Rule: an audit policy is one that kube-apiserver starts with.

use super::{Finding, World};
use crate::AuditPolicy;

mod rules;
#[cfg(test)]
mod tests;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let audit = &cluster.value.spec.audit;
    match (audit.policy, audit.rules.is_empty()) {
        (AuditPolicy::Custom, true) => {
            let finding = Finding::error(
                "spec::audit-rules",
                "`policy: custom` needs rules; kube-apiserver does not start without any",
            );
            return vec![
                finding.at(cluster, "spec.audit.policy").help("add `spec.audit.rules`, such as `- level: Metadata`"),
            ];
        }
        (AuditPolicy::Custom, false) | (_, true) => {}
        (_, false) => {
            let finding = Finding::error("spec::audit-rules", "rules have no effect without `policy: custom`");
            return vec![
                finding.at(cluster, "spec.audit.rules").help("set `spec.audit.policy: custom`, or remove the rules"),
            ];
        }
    }
    audit.rules.iter().enumerate().flat_map(|(index, rule)| rules::check(cluster, index, rule)).collect()
}
