//! Tests: what kubelet refuses at its start is refused before, wherever its layers come from.

use super::super::tests::{CONTROL_PLANE, about, about_group, cluster, complaints, loaded};

/// What is said of a cluster with these settings of kubelet.
fn of_cluster(settings: &str) -> Vec<String> {
    about(&format!("  kubelet:\n    config: {settings}\n"))
}

/// The same settings in a group's layer.
fn of_group(settings: &str) -> Vec<String> {
    about_group(&format!("{{role: Worker, kubelet: {{config: {settings}}}}}"))
}

fn assert_refused(settings: &str, field: &str) {
    let place = "spec.kubelet.config";
    assert_eq!(of_cluster(settings), [format!("spec::kubelet-setting cluster.yaml:8 {place}{field}")], "{settings}");
    assert_eq!(of_group(settings), [format!("spec::kubelet-setting workers.yaml:4 {place}{field}")], "{settings}");
}

fn assert_taken(settings: &str) {
    assert_eq!((of_cluster(settings), of_group(settings)), (Vec::new(), Vec::new()), "{settings}");
}

#[test]
fn soft_eviction_has_its_grace_period() {
    let field = ".evictionSoft[\"memory.available\"]";
    assert_refused("{evictionSoft: {memory.available: 800Mi}}", field);
    assert_refused("{evictionSoft: {memory.available: 5%}, evictionSoftGracePeriod: {}}", field);
    assert_refused(
        "{evictionSoftGracePeriod: {memory.available: 1m}}",
        ".evictionSoftGracePeriod[\"memory.available\"]",
    );
    assert_taken("{evictionSoft: {memory.available: 800Mi}, evictionSoftGracePeriod: {memory.available: 1m30s}}");
    assert_taken("{evictionSoft: {memory.available: 0%}}");
}

#[test]
fn a_groups_grace_period_completes_the_clusters_threshold_and_the_other_way_round() {
    let soft = "  kubelet: {config: {evictionSoft: {memory.available: 1Gi}, evictionSoftGracePeriod: {memory.available: 1m}}}\n";
    let lost = "{role: Worker, kubelet: {config: {evictionSoftGracePeriod: null}}}";
    let found = loaded(&cluster(soft), &[("cp", CONTROL_PLANE), ("workers", lost)]);
    let message = &found.diagnostics[0].message;
    assert!(message.contains("soft eviction for memory.available has no grace period"), "{message}");
    assert_eq!(found.diagnostics.len(), 1);
    let own = "{role: Worker, kubelet: {config: {evictionSoft: {memory.available: 2Gi}}}}";
    assert_eq!(loaded(&cluster(soft), &[("cp", CONTROL_PLANE), ("workers", own)]).diagnostics, []);
}

#[test]
fn thresholds_are_ones_that_kubelet_reads() {
    for (settings, field) in [
        ("{evictionHard: {memory.avialable: 100Mi}}", ".evictionHard[\"memory.avialable\"]"),
        ("{evictionHard: {memory.available: 101%}}", ".evictionHard[\"memory.available\"]"),
        ("{evictionHard: {memory.available: ten%}}", ".evictionHard[\"memory.available\"]"),
        ("{evictionHard: {memory.available: \"0\"}}", ".evictionHard[\"memory.available\"]"),
        ("{evictionMinimumReclaim: {nodefs.available: 1GB}}", ".evictionMinimumReclaim[\"nodefs.available\"]"),
    ] {
        assert_refused(settings, field);
    }
    assert_taken("{evictionHard: {memory.available: 5%, nodefs.inodesFree: 5.5%, pid.available: 100%}}");
}

#[test]
fn reserves_are_enforced_on_groups_that_are_named() {
    for (settings, field) in [
        ("{enforceNodeAllocatable: [pods, system-reserved]}", ".enforceNodeAllocatable[1]"),
        ("{enforceNodeAllocatable: [kube-reserved]}", ".enforceNodeAllocatable[0]"),
        ("{enforceNodeAllocatable: [kube-reserved-compressible]}", ".enforceNodeAllocatable[0]"),
        ("{enforceNodeAllocatable: [pods, pods]}", ".enforceNodeAllocatable[1]"),
        ("{enforceNodeAllocatable: [pod]}", ".enforceNodeAllocatable[0]"),
        ("{enforceNodeAllocatable: [none, pods]}", ".enforceNodeAllocatable[0]"),
        ("{cgroupsPerQOS: false}", ".cgroupsPerQOS"),
    ] {
        assert_refused(settings, field);
    }
    assert_taken("{enforceNodeAllocatable: [pods, system-reserved], systemReservedCgroup: /system.slice}");
    assert_taken("{enforceNodeAllocatable: [none], cgroupsPerQOS: false}");
    assert_taken("{enforceNodeAllocatable: []}");
}

#[test]
fn image_collection_begins_above_where_it_stops() {
    let (high, low) = (".imageGCHighThresholdPercent", ".imageGCLowThresholdPercent");
    assert_refused("{imageGCHighThresholdPercent: 70, imageGCLowThresholdPercent: 80}", low);
    assert_refused("{imageGCHighThresholdPercent: 80, imageGCLowThresholdPercent: 80}", low);
    // kubelet's own low one is 80.
    assert_refused("{imageGCHighThresholdPercent: 70}", high);
    assert_refused("{imageGCHighThresholdPercent: 101}", high);
    // On local machines the high one is 100 unless it is taken away.
    assert_taken("{imageGCLowThresholdPercent: 90}");
    assert_refused("{imageGCLowThresholdPercent: 90, imageGCHighThresholdPercent: null}", low);
    assert_refused("{imageMaximumGCAge: 1m}", ".imageMaximumGCAge");
    assert_taken("{imageMaximumGCAge: 72h}");
}

#[test]
fn numbers_and_times_lie_where_kubelet_takes_them() {
    for (settings, field) in [
        ("{maxOpenFiles: -1}", ".maxOpenFiles"),
        ("{containerLogMaxFiles: 1}", ".containerLogMaxFiles"),
        ("{oomScoreAdj: -1001}", ".oomScoreAdj"),
        ("{readOnlyPort: 65536}", ".readOnlyPort"),
        ("{maxPods: -1}", ".maxPods"),
        ("{containerLogMonitorInterval: 2s}", ".containerLogMonitorInterval"),
        ("{cpuCFSQuotaPeriod: 2s}", ".cpuCFSQuotaPeriod"),
        ("{crashLoopBackOff: {maxContainerRestartPeriod: 10m}}", ".crashLoopBackOff.maxContainerRestartPeriod"),
        ("{imageMinimumGCAge: -1m}", ".imageMinimumGCAge"),
        ("{memoryThrottlingFactor: 1.5}", ".memoryThrottlingFactor"),
        ("{maxParallelImagePulls: 5, serializeImagePulls: true}", ".maxParallelImagePulls"),
        ("{userNamespaces: {idsPerPod: 70000}}", ".userNamespaces.idsPerPod"),
        ("{nodeLeaseDurationSeconds: 400}", ".nodeLeaseDurationSeconds"),
    ] {
        assert_refused(settings, field);
    }
    assert_taken(
        "{maxOpenFiles: 0, containerLogMaxFiles: 2, podPidsLimit: -1, registryPullQPS: 0, maxParallelImagePulls: 5}",
    );
}

#[test]
fn words_are_kubelets_own_and_gates_are_asked() {
    for (settings, field) in [
        ("{topologyManagerPolicy: single-numa}", ".topologyManagerPolicy"),
        ("{topologyManagerScope: node}", ".topologyManagerScope"),
        ("{memorySwap: {swapBehavior: UnlimitedSwap}}", ".memorySwap.swapBehavior"),
        ("{hairpinMode: veth}", ".hairpinMode"),
        ("{memoryReservationPolicy: TieredReservation}", ".memoryReservationPolicy"),
        ("{podLogsDir: var/log}", ".podLogsDir"),
        ("{systemCgroups: /system}", ".systemCgroups"),
        ("{runOnce: true}", ".runOnce"),
    ] {
        assert_refused(settings, field);
    }
    assert_taken("{topologyManagerPolicy: single-numa-node, memorySwap: {swapBehavior: LimitedSwap}}");
    let old = |kubelet: &str| {
        let text = cluster(&format!("  kubelet: {kubelet}\n")).replace("1.36.3", "\"1.34\"");
        complaints(&loaded(&text, &[("cp", CONTROL_PLANE)]).diagnostics)
    };
    assert_eq!(old("{config: {imageMinimumGCAge: -1s}}"), [""; 0]);
    assert_refused("{imageMinimumGCAge: -1s}", ".imageMinimumGCAge");
    for (setting, gate) in [
        ("crashLoopBackOff: {maxContainerRestartPeriod: 60s}", "KubeletCrashLoopBackOffMax"),
        ("imagePullCredentialsVerificationPolicy: AlwaysVerify", "KubeletEnsureSecretPulledImages"),
    ] {
        assert_eq!(old(&format!("{{config: {{{setting}}}}}")).len(), 1, "{setting}");
        assert_eq!(old(&format!("{{config: {{{setting}}}, featureGates: {{{gate}: true}}}}")), [""; 0], "{setting}");
    }
}

#[test]
fn managers_of_processors_and_memory_get_their_reserves() {
    assert_refused("{cpuManagerPolicyOptions: {full-pcpus-only: \"true\"}}", ".cpuManagerPolicyOptions");
    assert_refused("{reservedSystemCPUs: 3-1}", ".reservedSystemCPUs");
    assert_refused("{reservedSystemCPUs: \"0\", kubeReservedCgroup: /kube}", ".reservedSystemCPUs");
    assert_refused("{memoryManagerPolicy: Static}", ".memoryManagerPolicy");
    assert_taken("{cpuManagerPolicy: static, reservedSystemCPUs: 0-1}");
    // What is reserved by default is enough for it; nothing is not.
    assert_taken("{cpuManagerPolicy: static}");
    let kubelet = |settings: &str| about(&format!("  kubelet: {settings}\n"));
    assert_eq!(kubelet("{kubeReserved: {cpu: 500m}, config: {cpuManagerPolicy: static}}"), [""; 0]);
    let none = kubelet("{kubeReserved: {cpu: \"0\"}, config: {cpuManagerPolicy: static}}");
    assert_eq!(none, ["spec::kubelet-setting cluster.yaml:7 spec.kubelet.config.cpuManagerPolicy"]);
    let memory = |amount: &str| {
        kubelet(&format!(
            "{{kubeReserved: {{memory: 924Mi}}, config: {{memoryManagerPolicy: Static, reservedMemory: [{{numaNode: 0, limits: {{memory: {amount}}}}}]}}}}"
        ))
    };
    assert_eq!((memory("1Gi"), memory("1000Mi").len()), (Vec::new(), 1));
    assert_eq!(memory("1073741824"), [""; 0]);
    assert_refused("{reservedMemory: [{numaNode: 0, limits: {memory: 0}}]}", ".reservedMemory[0]");
}

#[test]
fn reserves_leave_something_of_a_machine_in_any_spelling() {
    let group = |machine: &str, kubelet: &str| {
        about_group(&format!("{{role: Worker, machine: {{{machine}}}, kubelet: {{{kubelet}}}}}"))
    };
    let little = |field: &str| [format!("spec::little-room workers.yaml:4 spec.machine.{field}")];
    let cpus = ["spec::reserves workers.yaml:4 spec.machine.cpus"];
    for amount in ["3", "2", "3000m", "3e0", "2.5", "3000000u"] {
        assert_eq!(group("cpus: 2", &format!("kubeReserved: {{cpu: \"{amount}\"}}")), cpus, "{amount}");
    }
    assert_eq!(group("cpus: 2", "kubeReserved: {cpu: \"1\"}, systemReserved: {cpu: 1000m}"), cpus);
    assert_eq!(group("cpus: 2", "config: {reservedSystemCPUs: 0-1}"), cpus);
    assert_eq!(group("cpus: 2", "config: {reservedSystemCPUs: \"5\"}"), cpus);
    assert_eq!(group("cpus: 2", "kubeReserved: {cpu: \"1\"}, systemReserved: {cpu: 999m}"), little("cpus"));
    let memory = ["spec::reserves workers.yaml:4 spec.machine.memory"];
    assert_eq!(group("memory: 4Gi", "kubeReserved: {memory: \"4e9\"}, systemReserved: {memory: 300M}"), memory);
    // kubelet's own 100Mi are kept free, too.
    assert_eq!(group("memory: 1Gi", "kubeReserved: {memory: 950Mi}"), memory);
    assert_eq!(group("memory: 1Gi", "kubeReserved: {memory: 900Mi}"), little("memory"));
    assert_eq!(group("memory: 1Gi", "config: {evictionHard: {memory.available: 100%}}"), memory);
}

#[test]
fn machines_without_room_for_the_clusters_own_pods_are_told_before_they_are_made() {
    let group = |role: &str, machine: &str| about_group(&format!("{{role: {role}, machine: {{{machine}}}, count: 2}}"));
    assert_eq!(group("Worker", "memory: 512Mi, cpus: 2"), [""; 0]);
    let small = group("Worker", "memory: 300Mi");
    assert!(small.contains(&"spec::little-room workers.yaml:4 spec.machine.memory".to_owned()), "{small:?}");
    assert_eq!(group("Worker", "cpus: 1"), ["spec::small-machine workers.yaml:4 spec.machine.cpus"]);
    let control_planes = group("ControlPlane", "cpus: 1");
    assert!(control_planes.contains(&"spec::small-machine workers.yaml:4 spec.machine.cpus".to_owned()));
    assert!(
        control_planes.contains(&"spec::little-room workers.yaml:4 spec.machine.cpus".to_owned()),
        "{control_planes:?}"
    );
}

#[test]
fn the_clusters_reserves_are_held_against_every_groups_machines() {
    let text = cluster("  kubelet: {systemReserved: {cpu: \"4\"}}\n");
    let found = loaded(&text, &[("cp", CONTROL_PLANE), ("workers", "{role: Worker, machine: {cpus: 4}}")]);
    assert_eq!(complaints(&found.diagnostics), ["spec::reserves workers.yaml:4 spec.machine.cpus"]);
    assert_eq!(found.diagnostics[0].labels[1].file, "cluster.yaml");
}

#[test]
fn texts_have_the_form_that_kubelet_reads() {
    for (settings, field) in [
        ("{reservedSystemCPUs: '0, 1'}", ".reservedSystemCPUs"),
        ("{tracing: {endpoint: http://localhost:4317}}", ".tracing.endpoint"),
        ("{tracing: {endpoint: localhost:grpc}}", ".tracing.endpoint"),
        ("{containerLogMaxSize: 10MB}", ".containerLogMaxSize"),
        ("{containerLogMaxSize: 1500m}", ".containerLogMaxSize"),
        ("{allowedUnsafeSysctls: [net.core.somaxconn, kernel.pid_max]}", ".allowedUnsafeSysctls[1]"),
        ("{showHiddenMetricsForVersion: '1.36'}", ".showHiddenMetricsForVersion"),
        ("{logging: {flushFrequency: -5s}}", ".logging.flushFrequency"),
        ("{logging: {format: json, vmodule: [{filePattern: a, verbosity: 3}]}}", ".logging.vmodule"),
        ("{logging: {options: {text: {infoBufferSize: 1Ki}}}}", ".logging.options.text.infoBufferSize"),
        (
            "{imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages, \
             preloadedImagesVerificationAllowlist: [a.example/b, 'nginx:1']}",
            ".preloadedImagesVerificationAllowlist[1]",
        ),
    ] {
        assert_refused(settings, field);
    }
    assert_taken("{reservedSystemCPUs: '0,1', tracing: {endpoint: 'unix:///run/otel'}, containerLogMaxSize: 10M}");
    assert_taken("{allowedUnsafeSysctls: ['kernel.msg*', net.core.somaxconn], showHiddenMetricsForVersion: '1.35'}");
    assert_taken("{tracing: {endpoint: 'localhost:4317'}, logging: {format: json, verbosity: 4}}");
}

#[test]
fn options_of_managers_are_known_and_go_together() {
    let gated = |gates: &str, options: &str| {
        about(&format!(
            "  kubelet:\n    featureGates: {{{gates}}}\n    kubeReserved: {{cpu: 500m}}\n    \
             config: {{cpuManagerPolicy: static, cpuManagerPolicyOptions: {{{options}}}}}\n"
        ))
    };
    let place = "spec::kubelet-setting cluster.yaml:10 spec.kubelet.config.cpuManagerPolicyOptions";
    assert_eq!(gated("", "full-pcpus-only: 'true', strict-cpu-reservation: 'T'"), [""; 0]);
    assert_eq!(gated("", "full-pcpu-only: 'true'"), [format!("{place}.full-pcpu-only")]);
    assert_eq!(gated("", "full-pcpus-only: 'yes'"), [format!("{place}.full-pcpus-only")]);
    assert_eq!(gated("", "align-by-socket: 'true'"), [format!("{place}.align-by-socket")]);
    assert_eq!(gated("CPUManagerPolicyAlphaOptions: true", "align-by-socket: 'true'"), [""; 0]);
    let apart = "full-pcpus-only: 'true', distribute-cpus-across-cores: 'true'";
    assert_eq!(gated("CPUManagerPolicyAlphaOptions: true", apart), [format!("{place}.full-pcpus-only")]);
    assert_refused(
        "{topologyManagerPolicy: restricted, topologyManagerPolicyOptions: {max-allowable-numa-nodes: '4'}}",
        ".topologyManagerPolicyOptions.max-allowable-numa-nodes",
    );
    let options = "{max-allowable-numa-nodes: '8', prefer-closest-numa-nodes: 'false'}";
    assert_taken(&format!("{{topologyManagerPolicy: restricted, topologyManagerPolicyOptions: {options}}}"));
    // Without a policy kubelet looks at none of them: a word, and no error.
    assert_refused("{topologyManagerPolicyOptions: {max-allowable-numa-nodes: '4'}}", ".topologyManagerPolicyOptions");
    let reserved = |value: &str| {
        about(&format!(
            "  kubelet:\n    featureGates: {{QOSReserved: true}}\n    config: {{qosReserved: {{{value}}}}}\n"
        ))
    };
    assert_eq!(reserved("memory: 50%"), [""; 0]);
    let place = "spec::kubelet-setting cluster.yaml:9 spec.kubelet.config.qosReserved";
    assert_eq!(reserved("memory: 1Gi"), [format!("{place}.memory")]);
    assert_eq!(reserved("cpu: 50%"), [format!("{place}.cpu")]);
}

#[test]
fn gates_that_settings_and_kubewright_rest_on_stay_on() {
    let gate = |name: &str| about(&format!("  featureGates: {{{name}: false}}\n"));
    let of_cluster = "spec::kubelet-setting cluster.yaml:7 spec.featureGates.RotateKubeletServerCertificate";
    assert_eq!(gate("RotateKubeletServerCertificate"), [of_cluster]);
    let of_group = about_group("{role: Worker, kubelet: {featureGates: {RotateKubeletServerCertificate: false}}}");
    let place = "workers.yaml:4 spec.kubelet.featureGates";
    assert_eq!(of_group, [format!("spec::kubelet-setting {place}.RotateKubeletServerCertificate")]);
    let off = |gates: &str, more: &str| {
        about_group(&format!("{{role: Worker, kubelet: {{featureGates: {{{gates}}}, {more}}}}}"))
    };
    let both = "GracefulNodeShutdown: false, GracefulNodeShutdownBasedOnPodPriority: false, \
                WindowsGracefulNodeShutdown: false";
    let place = format!("spec::kubelet-setting {place}.GracefulNodeShutdown");
    assert_eq!(off(both, "shutdownGracePeriod: 30s"), [place]);
    assert_eq!(off(both, "shutdownGracePeriod: 0s"), [""; 0]);
    let by_priority = "config: {shutdownGracePeriodByPodPriority: [{priority: 0, shutdownGracePeriodSeconds: 5}]}";
    assert_eq!(
        off("GracefulNodeShutdownBasedOnPodPriority: false", by_priority),
        ["spec::kubelet-setting workers.yaml:4 spec.kubelet.config.shutdownGracePeriodByPodPriority"]
    );
}

#[test]
fn gates_of_all_of_a_stage_are_asked_too() {
    let kubelet =
        |gates: &str, config: &str| about(&format!("  kubelet: {{featureGates: {{{gates}}}, config: {{{config}}}}}\n"));
    let reserved = "qosReserved: {memory: 50%}";
    let field = "cluster.yaml:7 spec.kubelet";
    assert_eq!(kubelet("AllAlpha: true", reserved), [""; 0]);
    assert_eq!(
        kubelet("AllAlpha: true, QOSReserved: false", reserved),
        [format!("spec::kubelet-setting {field}.config.qosReserved")]
    );
    let json = kubelet("AllBeta: false", "logging: {format: json}");
    assert!(json.contains(&format!("spec::kubelet-setting {field}.config.logging.format")), "{json:?}");
    let ours = format!("spec::kubelet-setting {field}.featureGates.AllBeta");
    assert!(json.contains(&ours), "{json:?}");
    assert_eq!(kubelet("AllBeta: false, RotateKubeletServerCertificate: true", "logging: {format: text}"), [""; 0]);
}

#[test]
fn shutdown_times_are_whole_seconds() {
    let found = about("  kubelet:\n    shutdownGracePeriod: 500ms\n");
    assert_eq!(found, ["spec::shutdown-grace-period cluster.yaml:8 spec.kubelet.shutdownGracePeriod"]);
    let both = about(
        "  kubelet:\n    shutdownGracePeriod: 30s\n    config: {shutdownGracePeriodByPodPriority: [{priority: 0, shutdownGracePeriodSeconds: 5}]}\n",
    );
    assert_eq!(both, ["spec::kubelet-setting cluster.yaml:9 spec.kubelet.config.shutdownGracePeriodByPodPriority"]);
}

#[test]
fn a_group_completes_what_the_clusters_layer_begins() {
    let base = "  kubelet: {config: {cpuManagerPolicyOptions: {full-pcpus-only: 'true'}}, shutdownGracePeriodCriticalPods: 5s}\n";
    let complete = |role: &str| {
        let config = "{cpuManagerPolicy: static, reservedSystemCPUs: '0'}";
        format!("{{role: {role}, kubelet: {{config: {config}, shutdownGracePeriod: 9s}}}}")
    };
    let (control_planes, workers) = (complete("ControlPlane"), complete("Worker"));
    let said = |groups: &[(&str, &str)]| complaints(&loaded(&cluster(base), groups).diagnostics);
    assert_eq!(said(&[("cp", &control_planes), ("workers", &workers)]), [""; 0]);
    let alone = said(&[("cp", &control_planes), ("workers", "{role: Worker}"), ("more", "{role: Worker}")]);
    assert_eq!(
        alone,
        [
            "spec::kubelet-setting cluster.yaml:7 spec.kubelet.config.cpuManagerPolicyOptions",
            "spec::shutdown-grace-period cluster.yaml:7 spec.kubelet.shutdownGracePeriodCriticalPods",
        ],
        "once for all groups that have nothing of their own"
    );
}

#[test]
fn kubelet_listens_where_the_api_server_reaches_it() {
    for taken in ["0.0.0.0", "'::'", "10.0.0.5"] {
        assert_taken(&format!("{{address: {taken}}}"));
    }
    for refused in ["127.0.0.1", "'::1'", "'::ffff:127.0.0.1'", "example.org"] {
        assert_refused(&format!("{{address: {refused}}}"), ".address");
    }
}

#[test]
fn the_size_of_logs_is_one_that_kubernetes_keeps_whole() {
    for taken in ["10Mi", "500G", "1.5G", "1Ti", "0.5M"] {
        assert_taken(&format!("{{containerLogMaxSize: {taken}}}"));
    }
    for refused in ["0.5Gi", "1.5Mi", "1Pi", "0.5"] {
        assert_refused(&format!("{{containerLogMaxSize: '{refused}'}}"), ".containerLogMaxSize");
    }
}
