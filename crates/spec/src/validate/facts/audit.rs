//! Audit rules: values have the types that the API server reads.

use super::super::{Finding, World};
use super::Known;
use super::fields::{self, Wrong};

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let (Some(cluster), Some(types)) = (world.cluster(), known.types("kube-apiserver")) else { return Vec::new() };
    let mut findings = Vec::new();
    for (index, rule) in cluster.value.spec.audit.rules.iter().enumerate() {
        let own = format!("spec.audit.rules[{index}]");
        for wrong in fields::check(types, "PolicyRule", rule, &own) {
            match wrong {
                // The rule's own fields are the audit rule's business.
                Wrong::Unknown { path, name, .. } if path == crate::check::join(&own, &name) => {}
                Wrong::Unknown { path, name, meant } => {
                    let message = format!("kube-apiserver knows no `{name}` here and goes on without it");
                    let help = meant.map(|meant| format!("did you mean `{meant}`?"));
                    findings.push(Finding { help, ..Finding::warning("spec::audit-rules", message).at(cluster, path) });
                }
                // A level that is no text is no level, which is said already.
                Wrong::Mistyped { path, .. } if path == format!("{own}.level") => {}
                Wrong::Mistyped { path, wanted, help } => {
                    let message = format!("kube-apiserver wants {wanted} here and does not start with anything else");
                    findings.push(Finding { help, ..Finding::error("spec::audit-rules", message).at(cluster, path) });
                }
            }
        }
    }
    findings
}
