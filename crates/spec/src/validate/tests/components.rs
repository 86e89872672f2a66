//! Tests of the rules about nodes and components.

use super::*;

#[test]
fn labels_and_taints_of_kubernetes_are_reserved() {
    let found = about_group(
        "{role: Worker, labels: {kubernetes.io/hostname: x, kubewright.io/a: b, tier: web, node-role.kubernetes.io/web: ''}}",
    );
    assert_eq!(
        found,
        [
            "spec::reserved-label workers.yaml:4 spec.labels[\"kubernetes.io/hostname\"]",
            "spec::reserved-label workers.yaml:4 spec.labels[\"kubewright.io/a\"]"
        ]
    );
    let found = about_group("{role: Worker, taints: [{key: node.kubernetes.io/not-ready, effect: NoSchedule}]}");
    assert_eq!(found, ["spec::reserved-taint workers.yaml:4 spec.taints[0].key"]);
    let found = about_group(
        "{role: Worker, taints: [{key: a, value: x, effect: NoSchedule}, {key: a, effect: NoSchedule}, {key: a, effect: NoExecute}]}",
    );
    assert_eq!(found, ["spec::duplicate-taint workers.yaml:4 spec.taints[1]"]);
}

#[test]
fn bad_label_syntax_is_refused_at_its_key() {
    let found = about_group("{role: Worker, labels: {-bad: x, good: 'bad value'}, taints: [{key: a, effect: Never}]}");
    assert_eq!(
        found,
        [
            "spec::invalid-value workers.yaml:4 spec.labels.-bad",
            "spec::invalid-value workers.yaml:4 spec.labels.good",
            "spec::unknown-value workers.yaml:4 spec.taints[0].effect"
        ]
    );
}

#[test]
fn kubelet_fields_of_the_cluster_are_refused_and_unknown_ones_warned_of() {
    let loaded = loaded(
        &cluster(
            "  kubelet:\n    config:\n      staticPodPath: /x\n      maxPod: 5\n      maxPods: 50\n      kubeReserved: {}\n",
        ),
        &[("cp", CONTROL_PLANE)],
    );
    let found = complaints(&loaded.diagnostics);
    assert_eq!(
        found,
        [
            "spec::managed-kubelet-field cluster.yaml:9 spec.kubelet.config.staticPodPath",
            "spec::unknown-kubelet-field cluster.yaml:10 spec.kubelet.config.maxPod",
            "spec::managed-kubelet-field cluster.yaml:12 spec.kubelet.config.kubeReserved"
        ]
    );
    assert_eq!(loaded.diagnostics[1].help.as_deref(), Some("did you mean `maxPods`?"));
    assert_eq!(loaded.diagnostics[1].severity, Severity::Warning);
    let in_group = about_group("{role: Worker, kubelet: {config: {clusterDNS: [1.1.1.1]}}}");
    assert_eq!(in_group, ["spec::managed-kubelet-field workers.yaml:4 spec.kubelet.config.clusterDNS"]);
}

#[test]
fn grace_periods_and_reserves_are_checked_over_all_layers() {
    let found = about("  kubelet:\n    shutdownGracePeriodCriticalPods: 30s\n");
    assert_eq!(found, ["spec::shutdown-grace-period cluster.yaml:8 spec.kubelet.shutdownGracePeriodCriticalPods"]);
    let layered = loaded(
        &cluster("  kubelet: {shutdownGracePeriod: 1m, systemReserved: {memory: 600Mi}}\n"),
        &[
            ("cp", "{role: ControlPlane, kubelet: {shutdownGracePeriodCriticalPods: 20s}}"),
            ("workers", "{role: Worker, machine: {memory: 1Gi}, kubelet: {kubeReserved: {memory: 500Mi}}}"),
        ],
    );
    assert_eq!(complaints(&layered.diagnostics), ["spec::reserves workers.yaml:4 spec.machine.memory"]);
}

#[test]
fn flags_of_the_cluster_are_refused_with_the_field_to_use() {
    let loaded = loaded(
        &cluster(
            "  kubeAPIServer:\n    extraArgs:\n      service-cluster-ip-range: x\n      v: \"4\"\n      anonymous-auth: \"false\"\n  etcd:\n    extraArgs:\n      data-dir: /x\n",
        ),
        &[("cp", CONTROL_PLANE)],
    );
    assert_eq!(
        complaints(&loaded.diagnostics),
        [
            "spec::managed-flag cluster.yaml:9 spec.kubeAPIServer.extraArgs.service-cluster-ip-range",
            "spec::managed-flag cluster.yaml:11 spec.kubeAPIServer.extraArgs.anonymous-auth",
            "spec::managed-flag cluster.yaml:14 spec.etcd.extraArgs.data-dir"
        ]
    );
    assert_eq!(loaded.diagnostics[0].help.as_deref(), Some("use `spec.networking.serviceCIDRs`"));
}

#[test]
fn components_listen_where_others_reach_them() {
    let said = |component: &str, address: &str, count: u32| {
        let spec = cluster(&format!("  {component}: {{extraArgs: {{bind-address: '{address}'}}}}\n"));
        let group = format!("{{role: ControlPlane, count: {count}}}");
        let said = loaded(&spec, &[("cp", group.as_str())]).diagnostics;
        let bind = said.iter().find(|said| said.code == "spec::bind-address");
        assert_eq!(said.len(), usize::from(bind.is_some()), "{said:?}");
        bind.map(|said| (said.severity, said.field.clone()))
    };
    for component in ["kubeAPIServer", "kubeControllerManager", "kubeScheduler"] {
        let field = format!("spec.{component}.extraArgs.bind-address");
        for address in ["", "0.0.0.0", "::"] {
            assert_eq!(said(component, address, 3), None, "{component} {address}");
        }
        assert_eq!(said(component, "192.0.2.99", 3), Some((Severity::Error, field.clone())));
        assert_eq!(said(component, "192.0.2.99", 1), Some((Severity::Warning, field.clone())));
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let wanted = (component == "kubeAPIServer").then(|| (Severity::Error, field.clone()));
            assert_eq!(said(component, address, 1), wanted, "{component} {address}");
        }
    }
}

#[test]
fn node_restriction_stays() {
    let found = about(
        "  kubeAPIServer:\n    admissionPlugins: {enable: [PodNodeSelector], disable: [NodeRestriction, PodNodeSelector]}\n",
    );
    assert_eq!(
        found,
        [
            "spec::admission-plugin cluster.yaml:8 spec.kubeAPIServer.admissionPlugins.disable[0]",
            "spec::admission-plugin cluster.yaml:8 spec.kubeAPIServer.admissionPlugins.disable[1]"
        ]
    );
}

#[test]
fn audit_policies_have_rules_that_the_api_server_takes() {
    assert_eq!(about("  audit:\n    policy: custom\n"), ["spec::audit-rules cluster.yaml:8 spec.audit.policy"]);
    assert_eq!(
        about("  audit:\n    rules: [{level: Metadata}]\n"),
        ["spec::audit-rules cluster.yaml:8 spec.audit.rules"]
    );
    let found = about(
        "  audit:\n    policy: custom\n    rules:\n    - level: metadata\n    - level: None\n      verb: [get]\n",
    );
    assert_eq!(
        found,
        [
            "spec::audit-rules cluster.yaml:10 spec.audit.rules[0].level",
            "spec::audit-rules cluster.yaml:12 spec.audit.rules[1].verb"
        ]
    );
}

#[test]
fn registry_passwords_stay_outside_of_documents() {
    let credentials = |text: &str| about(&format!("  containerd:\n    registryCredentials:\n      {text}\n"));
    assert_eq!(credentials("docker.io: {username: me, passwordFile: hub}"), [""; 0]);
    assert_eq!(credentials("docker.io: {username: me}").len(), 1);
    assert_eq!(
        credentials("docker.io: {username: me, passwordFile: a, password: b}"),
        ["spec::unknown-field cluster.yaml:9 spec.containerd.registryCredentials[\"docker.io\"].password"]
    );
    assert_eq!(credentials("'*': {username: me, passwordFile: a}").len(), 1);
    let found = about("  containerd:\n    additions: |\n      [x]\n      password = \"y\"\n");
    assert!(found.contains(&"spec::credentials cluster.yaml:9 spec.containerd.additions".to_owned()), "{found:?}");
}

#[test]
fn a_hook_is_before_a_unit_or_after_it() {
    let hook = |order: &str| about(&format!("  hooks: [{{name: a, command: [/bin/true], {order}}}]\n"));
    assert_eq!(hook("before: [kubelet.service], after: [containerd.service]"), [""; 0]);
    let both = hook("before: [kubelet.service, x.service], after: [x.service]");
    assert_eq!(both, ["spec::hook-order cluster.yaml:7 spec.hooks[0].before"]);
}

#[test]
fn a_stored_document_with_a_tag_that_was_passed_over_is_taken() {
    let text = cluster("  files: [{path: /etc/x, content: !!binary aGk=}]\n");
    let sources = [Source::new("c.yaml", text), Source::new("g.yaml", group("cp", CONTROL_PLANE))];
    assert!(crate::load(&sources, &HostContext::default()).effective.is_none());
    assert!(crate::load_stored(&sources).effective.is_some());
}

#[test]
fn files_and_hooks_keep_clear_of_each_other() {
    let found = about(
        "  files:\n  - {path: /etc/issue, content: x}\n  - {path: /etc/motd, content: x}\n  - {path: /etc/motd, content: y}\n  hooks:\n  - {name: a, command: [modprobe, x]}\n  - {name: a, command: [/bin/true]}\n",
    );
    assert_eq!(
        found,
        [
            "spec::duplicate-file cluster.yaml:10 spec.files[2].path",
            "spec::hook-command cluster.yaml:12 spec.hooks[0].command",
            "spec::duplicate-hook cluster.yaml:13 spec.hooks[1].name"
        ]
    );
}

#[test]
fn small_machines_are_warned_of() {
    let loaded = loaded(&cluster(""), &[("cp", "{role: ControlPlane, machine: {memory: 512Mi}}")]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::small-machine cp.yaml:4 spec.machine.memory"]);
    assert!(loaded.effective.is_some());
}

#[test]
fn certificates_and_sources_make_sense() {
    assert_eq!(
        about("  pki:\n    renewBeforeDays: 400\n"),
        ["spec::certificate-validity cluster.yaml:8 spec.pki.renewBeforeDays"]
    );
    assert_eq!(
        about("  pki:\n    caValidityDays: 100\n"),
        ["spec::certificate-validity cluster.yaml:7 spec.pki.certificateValidityDays"]
    );
    assert_eq!(
        about("  assets:\n    sources: [cache, go, cache]\n"),
        ["spec::duplicate-source cluster.yaml:8 spec.assets.sources[2]"]
    );
    let sha = "0".repeat(64);
    let found = about(&format!(
        "  templates:\n  - {{name: a, path: x, sha256: '{sha}'}}\n  - {{name: a, path: y, sha256: '{sha}'}}\n"
    ));
    assert_eq!(found, ["spec::duplicate-template cluster.yaml:9 spec.templates[1].name"]);
}
