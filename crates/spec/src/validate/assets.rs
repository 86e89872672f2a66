//! Rule: sources of assets and template overrides are named once.

use super::{Finding, World, repeated};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let spec = &cluster.value.spec;
    let mut findings = Vec::new();
    for (first, again) in repeated(spec.assets.sources.iter().map(String::as_str)) {
        let path = |index: usize| format!("spec.assets.sources[{index}]");
        let finding = Finding::error("spec::duplicate-source", "a source of assets is named twice");
        findings.push(finding.and(cluster, path(again), "here again").and(cluster, path(first), "first here"));
    }
    for (first, again) in repeated(spec.templates.iter().map(|template| template.name.as_str())) {
        let path = |index: usize| format!("spec.templates[{index}].name");
        let finding = Finding::error("spec::duplicate-template", "a template is overridden twice");
        findings.push(finding.and(cluster, path(again), "here again").and(cluster, path(first), "first here"));
    }
    findings
}
