//! Tests: audit rules that kube-apiserver does not start with are refused at their place.

use super::super::tests::{CONTROL_PLANE, about, cluster, complaints, loaded};

fn rule(text: &str) -> Vec<String> {
    about(&format!("  audit:\n    policy: custom\n    rules:\n    - {text}\n"))
}

#[test]
fn rules_that_the_api_server_does_not_start_with_are_refused() {
    for (text, field) in [
        (
            "{level: Metadata, resources: [{group: '', resources: [secrets]}], nonResourceURLs: ['/healthz*']}",
            "nonResourceURLs",
        ),
        ("{level: Metadata, namespaces: [a], nonResourceURLs: [/version]}", "nonResourceURLs"),
        ("{level: Metadata, users: system:kube-proxy}", "users"),
        ("{level: Metadata, verbs: [1]}", "verbs"),
        ("{level: Metadata, omitManagedFields: yes}", "omitManagedFields"),
        ("{level: Metadata, resources: [secrets]}", "resources"),
        ("{level: Metadata, resources: [{group: '', resources: secrets}]}", "resources[0].resources"),
        ("{level: Metadata, resources: [{gruop: ''}]}", "resources[0].gruop"),
        ("{level: Metadata, resources: [{group: apps/v1, resources: [deployments]}]}", "resources[0].group"),
        ("{level: Metadata, resources: [{group: '', resourceNames: [a]}]}", "resources[0].resourceNames"),
        ("{level: Metadata, omitStages: [ResponseStart]}", "omitStages[0]"),
        ("{level: Metadata, nonResourceURLs: [healthz]}", "nonResourceURLs[0]"),
        ("{level: Metadata, nonResourceURLs: ['/*/x']}", "nonResourceURLs[0]"),
        ("{level: 1}", "level"),
        ("{users: [a]}", "level"),
    ] {
        assert_eq!(rule(text), [format!("spec::audit-rules cluster.yaml:10 spec.audit.rules[0].{field}")], "{text}");
    }
}

#[test]
fn rules_of_every_kind_are_taken() {
    for text in [
        "{level: None, users: [a], userGroups: [b], verbs: [get], omitStages: [RequestReceived], omitManagedFields: true}",
        "{level: Request, resources: [{group: '*', resources: ['*'], resourceNames: [a]}, {resources: [pods/exec]}]}",
        "{level: Metadata, nonResourceURLs: ['*', /api*, /version], resources: []}",
    ] {
        assert_eq!(rule(text), [""; 0], "{text}");
    }
}

#[test]
fn a_rule_for_all_groups_is_taken_since_its_minor() {
    let spec = "  audit: {policy: custom, rules: [{level: Request, resources: [{group: '*'}]}]}\n";
    let of = |version: &str| {
        let text = cluster(spec).replace(catalog::DEFAULT_VERSION, version);
        complaints(&loaded(&text, &[("cp", CONTROL_PLANE)]).diagnostics)
    };
    assert_eq!(of("1.36.3"), [""; 0]);
    assert_eq!(of("1.35.4"), ["spec::audit-rules cluster.yaml:7 spec.audit.rules[0].resources[0].group"]);
}
