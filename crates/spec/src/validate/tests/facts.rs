//! Tests of the rule that holds documents against what the components of the minor take.

use super::*;

/// Complaints with what to do about them, each as `severity code field: help`, sorted.
fn advice(spec: &str) -> Vec<String> {
    told(&loaded(&cluster(spec), &[("cp", CONTROL_PLANE), ("workers", WORKERS)]).diagnostics)
}

fn told(diagnostics: &[Diagnostic]) -> Vec<String> {
    let told = |d: &Diagnostic| {
        let severity = if d.severity == Severity::Error { "refused" } else { "warned" };
        format!("{severity} {} {}: {}", d.code, d.field, d.help.as_deref().unwrap_or_default())
    };
    let mut all: Vec<String> = diagnostics.iter().map(told).collect();
    all.sort();
    all
}

#[test]
fn flags_that_went_name_the_minor_and_mistyped_ones_the_nearest() {
    let found = advice(
        "  kubeAPIServer:\n    extraArgs: {cloud-provider: external, max-mutating-request-inflight: '9', insecure-port: '0'}\n  \
         kubeControllerManager:\n    extraArgs: {pod-eviction-timeout: 5m, node-monitor-grace-periods: 40s}\n  \
         kubeScheduler:\n    extraArgs: {policy-config-file: /x, no-flag-of-anything: a}\n  \
         etcd:\n    extraArgs: {snapshot-counts: '5000'}\n",
    );
    assert_eq!(
        found,
        [
            "refused spec::unknown-flag spec.etcd.extraArgs.snapshot-counts: did you mean `snapshot-count`?",
            "refused spec::unknown-flag spec.kubeAPIServer.extraArgs.cloud-provider: it went with Kubernetes 1.33; remove it",
            "refused spec::unknown-flag spec.kubeAPIServer.extraArgs.insecure-port: it went with Kubernetes 1.24; remove it",
            "refused spec::unknown-flag spec.kubeAPIServer.extraArgs.max-mutating-request-inflight: did you mean `max-mutating-requests-inflight`?",
            "refused spec::unknown-flag spec.kubeControllerManager.extraArgs.node-monitor-grace-periods: did you mean `node-monitor-grace-period`?",
            "refused spec::unknown-flag spec.kubeControllerManager.extraArgs.pod-eviction-timeout: it went with Kubernetes 1.27; remove it",
            "refused spec::unknown-flag spec.kubeScheduler.extraArgs.no-flag-of-anything: remove it",
            "refused spec::unknown-flag spec.kubeScheduler.extraArgs.policy-config-file: it went with Kubernetes 1.23; remove it",
        ]
    );
}

#[test]
fn values_of_flags_are_read_as_the_programs_read_them() {
    let found = advice(
        "  kubeAPIServer:\n    extraArgs: {max-requests-inflight: '600.5', profiling: 'no', request-timeout: '60', goaway-chance: some}\n  \
         etcd:\n    extraArgs: {quota-backend-bytes: 8Gi, feature-gates: 'CompactHashChecks=true,LeaseCheckpoint=maybe'}\n",
    );
    assert_eq!(
        found,
        [
            "refused spec::flag-value spec.etcd.extraArgs.feature-gates: such as `CompactHashCheck=true`",
            "refused spec::flag-value spec.etcd.extraArgs.quota-backend-bytes: such as `100`, without unit or fraction",
            "refused spec::flag-value spec.kubeAPIServer.extraArgs.goaway-chance: such as `0.5`",
            "refused spec::flag-value spec.kubeAPIServer.extraArgs.max-requests-inflight: such as `100`, without unit or fraction",
            "refused spec::flag-value spec.kubeAPIServer.extraArgs.profiling: write `false`",
            "refused spec::flag-value spec.kubeAPIServer.extraArgs.request-timeout: write `60s` for seconds",
            "refused spec::unknown-feature-gate spec.etcd.extraArgs.feature-gates: did you mean `CompactHashCheck`?",
        ]
    );
    let good = "  kubeAPIServer:\n    extraArgs: {max-requests-inflight: '0x258', profiling: F, request-timeout: 1m30s, anonymous-auth: T}\n";
    assert_eq!(advice(good), Vec::<String>::new());
}

#[test]
fn anonymous_requests_stay_on_in_every_spelling() {
    for no in ["false", "False", "FALSE", "f", "F", "0"] {
        let found = about(&format!("  kubeAPIServer:\n    extraArgs:\n      anonymous-auth: \"{no}\"\n"));
        assert_eq!(found, ["spec::managed-flag cluster.yaml:9 spec.kubeAPIServer.extraArgs.anonymous-auth"], "{no}");
    }
}

#[test]
fn flags_on_their_way_out_are_warned_of() {
    let found =
        loaded(&cluster("  kubeAPIServer:\n    extraArgs: {kubelet-port: '10250'}\n"), &[("cp", CONTROL_PLANE)]);
    assert!(found.effective.is_some());
    assert!(told(&found.diagnostics)[0].starts_with("warned spec::deprecated-flag"), "{:?}", found.diagnostics);
}

#[test]
fn gates_are_known_by_whoever_is_given_them_and_not_locked() {
    let found = advice(
        "  featureGates: {NoSuchGateAtAll: true, ContainerCheckpoints: true}\n  kubelet:\n    featureGates: {DynamicKubeletConfig: true}\n  \
         kubeScheduler:\n    featureGates: {CSIMigration: false}\n",
    );
    assert_eq!(
        found,
        [
            "refused spec::unknown-feature-gate spec.featureGates.ContainerCheckpoints: did you mean `ContainerCheckpoint`?",
            "refused spec::unknown-feature-gate spec.featureGates.NoSuchGateAtAll: remove it",
            "refused spec::unknown-feature-gate spec.kubeScheduler.featureGates.CSIMigration: it went with Kubernetes 1.27; remove it",
            "refused spec::unknown-feature-gate spec.kubelet.featureGates.DynamicKubeletConfig: it went with Kubernetes 1.26; remove it",
        ]
    );
    let group = about_group("{role: Worker, kubelet: {featureGates: {DynamicKubeletConfig: true}}}");
    assert_eq!(group, ["spec::unknown-feature-gate workers.yaml:4 spec.kubelet.featureGates.DynamicKubeletConfig"]);
}

#[test]
fn a_locked_gate_is_refused_when_it_is_turned_and_warned_of_when_it_is_not() {
    let newest = catalog::find(catalog::DEFAULT_VERSION).unwrap();
    let kubelet = catalog::facts(newest.minor).unwrap().component("kubelet").unwrap();
    let done =
        |(_, gate): &(&String, &catalog::GateFacts)| gate.locked && gate.default && gate.stage == catalog::Stage::Ga;
    let (name, _) = kubelet.gates.iter().find(done).unwrap();
    let found = advice(&format!("  featureGates: {{{name}: false}}\n"));
    assert_eq!(found, [format!("refused spec::locked-feature-gate spec.featureGates.{name}: remove it")]);
    let found = advice(&format!("  featureGates: {{{name}: true}}\n"));
    let help = "remove it; it is `true` anyway";
    assert_eq!(found, [format!("warned spec::ending-feature-gate spec.featureGates.{name}: {help}")]);
}

#[test]
fn admission_plugins_are_those_of_the_minor() {
    let found = advice(
        "  kubeAPIServer:\n    admissionPlugins: {enable: [PodSecurityPolicy, AlwaysPullImage, EventRateLimit], disable: [SecurityContextDeny]}\n",
    );
    assert_eq!(
        found,
        [
            "refused spec::admission-plugin spec.kubeAPIServer.admissionPlugins.disable[0]: it went with Kubernetes 1.30; remove it",
            "refused spec::admission-plugin spec.kubeAPIServer.admissionPlugins.enable[0]: it went with Kubernetes 1.25; remove it",
            "refused spec::admission-plugin spec.kubeAPIServer.admissionPlugins.enable[1]: did you mean `AlwaysPullImages`?",
            "refused spec::admission-plugin spec.kubeAPIServer.admissionPlugins.enable[2]: write one by `spec.files` and name it by the flag `admission-control-config-file`",
        ]
    );
}

#[test]
fn kubelet_fields_have_their_types_at_any_depth() {
    let found = advice(
        "  kubelet:\n    config:\n      podsPerCore: \"10\"\n      failSwapOn: no\n      syncFrequency: 60\n      \
         evictionHard: {memory.available: 200}\n      allowedUnsafeSysctls: net.core.somaxconn\n      \
         imageGCHighThresholdPercent: 85.5\n      logging: {verbosity: -1, formats: json, flushFrequency: 5}\n      \
         reservedMemory: [{numaNode: zero, limits: {memory: 1Gi}}]\n",
    );
    assert_eq!(
        found,
        [
            "refused spec::kubelet-field-type spec.kubelet.config.allowedUnsafeSysctls: write `[net.core.somaxconn]`",
            "refused spec::kubelet-field-type spec.kubelet.config.evictionHard[\"memory.available\"]: write `\"200\"`",
            "refused spec::kubelet-field-type spec.kubelet.config.failSwapOn: write `false`",
            "refused spec::kubelet-field-type spec.kubelet.config.imageGCHighThresholdPercent: it is too large, or no whole number",
            "refused spec::kubelet-field-type spec.kubelet.config.logging.verbosity: it is too large, or no whole number",
            "refused spec::kubelet-field-type spec.kubelet.config.podsPerCore: write `10`, without quotes",
            "refused spec::kubelet-field-type spec.kubelet.config.reservedMemory[0].numaNode: ",
            "refused spec::kubelet-field-type spec.kubelet.config.syncFrequency: write `60s` for seconds",
            "warned spec::unknown-kubelet-field spec.kubelet.config.logging.formats: did you mean `format`?",
        ]
    );
    let group = about_group("{role: Worker, kubelet: {config: {maxPods: many}}}");
    assert_eq!(group, ["spec::kubelet-field-type workers.yaml:4 spec.kubelet.config.maxPods"]);
}

#[test]
fn additions_to_containerd_have_keys_and_values_that_it_reads() {
    let said = |toml: &str| {
        let lines: Vec<String> = toml.lines().map(|line| format!("      {line}\n")).collect();
        advice(&format!("  containerd:\n    additions: |\n{}", lines.concat()))
    };
    for (toml, wanted) in [
        ("[plugins.'io.containerd.cri.v1.runtime']\nmax_container_log_line_size = 32768", None),
        ("oom_score = -500\n[timeouts]\n'io.containerd.timeout.shim.cleanup' = '6s'", None),
        ("[plugins.'io.containerd.gc.v1.scheduler']\npause_threshold = 1\nstartup_delay = '100ms'", None),
        ("[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.a.options]\nanything = 1", None),
        ("oom_scores = 1", Some("warned spec::unknown-containerd-setting: did you mean `oom_score`?")),
        (
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.a]\nruntime_typ = 'x'",
            Some("warned spec::unknown-containerd-setting: did you mean `runtime_type`?"),
        ),
        (
            "[plugins.'io.containerd.cri.v1.image']\nmax_concurrent_downloads = 5",
            Some("warned spec::unknown-containerd-setting: did you mean `io.containerd.cri.v1.images`?"),
        ),
        (
            "[plugins.'io.containerd.cri.v1.images']\nmax_concurrent_downloads = '5'",
            Some("refused spec::containerd: write `5`, without quotes"),
        ),
        (
            "[plugins.'io.containerd.cri.v1.runtime']\ncdi_spec_dirs = '/etc/cdi'",
            Some("refused spec::containerd: write `[/etc/cdi]`"),
        ),
        (
            "[plugins.'io.containerd.gc.v1.scheduler']\nstartup_delay = '100'",
            Some("refused spec::containerd: write `100s` for seconds"),
        ),
        ("[debug]\nlevel = 1", Some("refused spec::containerd: write `\"1\"`")),
    ] {
        let wanted: Vec<String> =
            wanted.map(|said| said.replacen(": ", " spec.containerd.additions: ", 1)).into_iter().collect();
        assert_eq!(said(toml), wanted, "{toml}");
    }
}

#[test]
fn a_gate_that_is_on_has_what_it_needs() {
    let found = advice("  kubeControllerManager: {featureGates: {NodeDeclaredFeatures: false}}\n");
    let field = "spec.kubeControllerManager.featureGates.NodeDeclaredFeatures";
    let needed =
        found.iter().filter(|line| line.starts_with(&format!("refused spec::feature-gate-needs {field}"))).count();
    assert!(needed > 0 && needed == found.len(), "{found:?}");
    assert_eq!(advice("  kubeControllerManager: {featureGates: {NodeDeclaredFeatures: true}}\n"), [""; 0]);
}

#[test]
fn gates_of_all_of_a_stage_count_where_nobody_names_one() {
    let gates = |gates: &str, more: &str| advice(&format!("  kubeScheduler: {{featureGates: {{{gates}}}{more}}}\n"));
    let field = "spec.kubeScheduler.featureGates";
    let needed = |found: &[String], gate: &str| {
        found.iter().any(|line| {
            line.starts_with(&format!("refused spec::feature-gate-needs {field}.{gate}"))
                && line.contains("`PodLevelResources`")
        })
    };
    assert!(needed(&gates("AllAlpha: true, AllBeta: false", ""), "All"));
    assert!(needed(&gates("AllBeta: false, PodLevelResourceManagers: true", ""), "PodLevelResourceManagers"));
    assert_eq!(gates("AllBeta: false", ""), [""; 0]);
    assert_eq!(gates("AllAlpha: true", ", extraArgs: {log-text-split-stream: 'true'}"), [""; 0]);
    let json = gates("AllBeta: false", ", extraArgs: {logging-format: json}");
    assert_eq!(json.len(), 1, "{json:?}");
    assert!(json[0].starts_with("refused spec::flag-value spec.kubeScheduler.extraArgs.logging-format"), "{json:?}");
}

#[test]
fn gates_of_groups_have_what_they_need() {
    let gates = |gates: &str| about_group(&format!("{{role: Worker, kubelet: {{featureGates: {{{gates}}}}}}}"));
    let windows = "WindowsGracefulNodeShutdown: false";
    let place = "spec::feature-gate-needs workers.yaml:4 spec.kubelet.featureGates.GracefulNodeShutdown";
    assert_eq!(gates(&format!("GracefulNodeShutdown: false, {windows}")), [place]);
    let all = format!("GracefulNodeShutdown: false, GracefulNodeShutdownBasedOnPodPriority: false, {windows}");
    assert_eq!(gates(&all), [""; 0]);
    // What is wrong with the cluster's own is said once.
    let base = format!("  kubelet: {{featureGates: {{GracefulNodeShutdown: false, {windows}}}}}\n");
    let found = complaints(&loaded(&cluster(&base), &[("cp", CONTROL_PLANE), ("workers", WORKERS)]).diagnostics);
    assert_eq!(found, ["spec::feature-gate-needs cluster.yaml:7 spec.kubelet.featureGates.GracefulNodeShutdown"]);
    // No kubelet has the cluster's layer alone.
    let base = format!("  kubelet: {{featureGates: {{GracefulNodeShutdown: false, {windows}}}}}\n");
    let completed = |role: &str| {
        format!("{{role: {role}, kubelet: {{featureGates: {{GracefulNodeShutdownBasedOnPodPriority: false}}}}}}")
    };
    let groups = [("cp", completed("ControlPlane")), ("workers", completed("Worker"))];
    let groups: Vec<(&str, &str)> = groups.iter().map(|(name, spec)| (*name, spec.as_str())).collect();
    assert_eq!(complaints(&loaded(&cluster(&base), &groups).diagnostics), [""; 0]);
}

#[test]
fn a_gate_that_lacks_another_in_many_programs_is_said_once() {
    let found = loaded(&cluster("  featureGates: {ClusterTrustBundleProjection: true}\n"), &[("cp", CONTROL_PLANE)]);
    let [found] = &found.diagnostics[..] else { panic!("{:?}", found.diagnostics) };
    assert!(found.message.contains("kube-apiserver") && found.message.contains("kubelet do not start"), "{found:?}");
}

#[test]
fn gates_of_everyone_are_those_of_kube_proxy_too() {
    let gate = |proxy: &str| {
        let spec = format!("  featureGates: {{GracefulNodeShutdown: false}}\n  networking: {{{proxy}}}\n");
        let found = loaded(&cluster(&spec), &[("cp", CONTROL_PLANE), ("workers", WORKERS)]).diagnostics;
        found.iter().any(|found| found.message.contains("kube-proxy"))
    };
    assert!(gate("cni: none"));
    assert!(!gate("cni: none, kubeProxy: {enabled: false}"));
}

#[test]
fn settings_of_kube_proxy_are_refused_at_their_place() {
    let found = about(
        "  networking:\n    kubeProxy:\n      config:\n        logging: {format: xml}\n        detectLocalMode: Bridge\n        \
         metricsBindAddress: 0.0.0.0:10249\n",
    );
    let place = "spec.networking.kubeProxy.config";
    assert_eq!(
        found,
        [
            format!("spec::kube-proxy-setting cluster.yaml:10 {place}.logging.format"),
            format!("spec::kube-proxy-setting cluster.yaml:11 {place}.detectLocalMode"),
        ]
    );
}

#[test]
fn flags_that_print_or_that_kubewrights_own_exclude_are_refused() {
    let found = advice(
        "  kubeAPIServer:\n    extraArgs: {version: 'true', authorization-config: /a, allow-metric-labels: ''}\n  \
         kubeControllerManager:\n    extraArgs: {node-cidr-mask-size-ipv6: '64', tls-sni-cert-key: /a.crt}\n  \
         kubeScheduler:\n    extraArgs: {leader-elect-resource-name: '', kube-api-burst: '-1'}\n  \
         etcd:\n    extraArgs: {auth-token: jwt}\n",
    );
    assert_eq!(
        found,
        [
            "refused spec::flag-value spec.etcd.extraArgs.auth-token: `simple`, or `jwt,sign-method=RS256,priv-key=/a.key,ttl=10m`",
            "refused spec::flag-value spec.kubeAPIServer.extraArgs.allow-metric-labels: such as `a=x`, or `\"a=x\",\"b=y\"`",
            "refused spec::flag-value spec.kubeAPIServer.extraArgs.version: remove it",
            "refused spec::flag-value spec.kubeControllerManager.extraArgs.node-cidr-mask-size-ipv6: remove it",
            "refused spec::flag-value spec.kubeControllerManager.extraArgs.tls-sni-cert-key: such as `/etc/a.crt,/etc/a.key:example.org`",
            "refused spec::flag-value spec.kubeScheduler.extraArgs.kube-api-burst: write 1 or more",
            "refused spec::flag-value spec.kubeScheduler.extraArgs.leader-elect-resource-name: a name, or leave it out",
            "refused spec::managed-flag spec.kubeAPIServer.extraArgs.authorization-config: remove it",
        ]
    );
}

#[test]
fn controllers_are_those_of_the_minor() {
    let found = advice("  kubeControllerManager:\n    extraArgs: {controllers: '*,-nodeipam,-node-ipam-controler'}\n");
    let field = "spec.kubeControllerManager.extraArgs.controllers";
    assert_eq!(found, [format!("refused spec::flag-value {field}: did you mean `node-ipam-controller`?")]);
    assert_eq!(advice("  kubeControllerManager:\n    extraArgs: {controllers: '-*'}\n").len(), 1);
    assert_eq!(advice("  kubeControllerManager:\n    extraArgs: {controllers: '\"*\",-nodeipam'}\n"), [""; 0]);
}
