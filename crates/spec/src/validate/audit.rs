//! Rule: an audit policy is one that kube-apiserver starts with.

use serde_json::Value;

use super::{Finding, World};
use crate::{AuditPolicy, suggest};

const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];
/// Fields of a rule (`audit.k8s.io/v1`).
const FIELDS: [&str; 9] = [
    "level",
    "users",
    "userGroups",
    "verbs",
    "resources",
    "namespaces",
    "nonResourceURLs",
    "omitStages",
    "omitManagedFields",
];

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
    let mut findings = Vec::new();
    for (index, rule) in audit.rules.iter().enumerate() {
        let path = format!("spec.audit.rules[{index}]");
        match rule.get("level").and_then(Value::as_str) {
            Some(level) if LEVELS.contains(&level) => {}
            level => {
                let finding = Finding::error(
                    "spec::audit-rules",
                    format!("a rule needs a level: one of {}", crate::shape::quoted(LEVELS.into_iter(), 4)),
                );
                let nearest = level
                    .and_then(|level| suggest::nearest(level, LEVELS))
                    .map(|level| format!("did you mean `{level}`?"));
                findings.push(Finding { help: nearest, ..finding.at(cluster, format!("{path}.level")) });
            }
        }
        for name in rule.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            let finding = Finding::error("spec::audit-rules", format!("audit rules have no field `{name}`"))
                .at(cluster, crate::check::join(&path, name));
            let nearest = suggest::nearest(name, FIELDS).map(|name| format!("did you mean `{name}`?"));
            findings.push(Finding { help: nearest, ..finding });
        }
    }
    findings
}
