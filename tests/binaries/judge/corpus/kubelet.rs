//! kubelet's configuration: values of every type for every field, and fields that go together or not.

use catalog::Facts;
use serde_json::{Value, json};

use super::super::case::Case;
use super::{Dice, flags};

/// Fields that kubewright sets itself.
const MANAGED: [&str; 25] = [
    "address",
    "apiVersion",
    "authentication",
    "authorization",
    "cgroupDriver",
    "clusterDNS",
    "clusterDomain",
    "containerRuntimeEndpoint",
    "featureGates",
    "healthzBindAddress",
    "healthzPort",
    "kind",
    "kubeReserved",
    "podCIDR",
    "port",
    "providerID",
    "registerNode",
    "registerWithTaints",
    "rotateCertificates",
    "serverTLSBootstrap",
    "shutdownGracePeriod",
    "shutdownGracePeriodCriticalPods",
    "staticPodPath",
    "staticPodURL",
    "systemReserved",
];

pub(super) fn cases(facts: &Facts, dice: &mut Dice) -> Vec<Case> {
    let fields = &facts.component("kubelet").expect("a component").types["KubeletConfiguration"];
    let field = |name: &str| format!("kubelet/config/{name}");
    let mut cases = Vec::new();
    for (name, of) in fields.iter().filter(|(name, _)| !MANAGED.contains(&name.as_str())) {
        let values = values(of);
        for _ in 0..2 {
            cases.push(Case::new("kubelet", field(name), values[dice.below(values.len())].clone()));
        }
    }
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    for _ in 0..3 {
        cases.push(Case::new("kubelet", field(&flags::slip(dice.one_of(&names), dice)), 1));
    }
    let settings = words().into_iter().chain(numbers()).chain(together()).chain(deep());
    cases.extend(settings.map(|(first, rest)| {
        let case = Case::new("kubelet", field(first.0), first.1);
        rest.into_iter().fold(case, |case, (name, value)| case.and(field(name), value))
    }));
    cases.extend(periods());
    cases.extend(gated(facts));
    cases
}

/// Values for a field of a type, right and wrong.
fn values(of: &str) -> Vec<Value> {
    match of {
        "bool" => vec![json!(true), json!(false), json!("true"), json!("no"), json!(1), json!(null)],
        "duration" => {
            vec![
                json!("30s"),
                json!("1m30s"),
                json!("0s"),
                json!("-1s"),
                json!(30),
                json!("30"),
                json!("1d"),
                json!(""),
            ]
        }
        "int32" | "int64" => {
            vec![
                json!(10),
                json!(0),
                json!(-1),
                json!(1.5),
                json!("10"),
                json!(3_000_000_000_i64),
                json!(10.0),
                json!(true),
            ]
        }
        "string" => vec![json!(""), json!("x"), json!(1), json!(true), json!(["x"])],
        "[]string" => vec![json!([]), json!(["x"]), json!("x"), json!([1])],
        "map[string]string" => vec![json!({}), json!({"x": "1"}), json!("x"), json!({"x": 1}), json!([])],
        "float64" => vec![json!(0.5), json!(1), json!("0.5"), json!(-1)],
        _ => vec![json!({}), json!([]), json!("x"), json!(1), json!(null)],
    }
}

type Setting = (&'static str, Value);
type Settings = (Setting, Vec<Setting>);

fn alone(name: &'static str, values: impl IntoIterator<Item = Value>) -> Vec<Settings> {
    values.into_iter().map(|value| ((name, value), Vec::new())).collect()
}

fn words() -> Vec<Settings> {
    let texts = |words: &[&str]| words.iter().map(|word| json!(word)).collect::<Vec<_>>();
    [
        alone("cpuManagerPolicy", texts(&["none", "static", "None", "x"])),
        alone("memoryManagerPolicy", texts(&["None", "none", "Static"])),
        alone("topologyManagerPolicy", texts(&["none", "best-effort", "bestEffort", "single-numa-node"])),
        alone("topologyManagerScope", texts(&["pod", "container", "node"])),
        alone("hairpinMode", texts(&["hairpin-veth", "none", "hairpin"])),
        alone("tlsMinVersion", texts(&["VersionTLS12", "VersionTLS13", "TLS1.2"])),
        alone(
            "tlsCipherSuites",
            [json!(["TLS_AES_128_GCM_SHA256"]), json!(["TLS_NOPE"]), json!(["TLS_RSA_WITH_RC4_128_SHA"])],
        ),
        alone("configMapAndSecretChangeDetectionStrategy", texts(&["Watch", "Get", "Cache", "watch"])),
        alone("imagePullCredentialsVerificationPolicy", texts(&["NeverVerify", "AlwaysVerify", "Always"])),
        alone("podLogsDir", texts(&["/var/log/pods", "var/log/pods", "/var/log/../pods", "/"])),
        alone(
            "allowedUnsafeSysctls",
            [json!(["net.core.somaxconn", "kernel.msg*"]), json!(["*"]), json!(["net..x"]), json!(["a b"])],
        ),
        alone("reservedSystemCPUs", texts(&["0", "0-1", "x", "1-0", "0,,1", "0, 1", " 0"])),
        alone("showHiddenMetricsForVersion", texts(&["1.36", "1.35", "1.34", "1.33", ""])),
        alone("singleProcessOOMKill", [json!(true), json!(false)]),
        alone("volumePluginDir", texts(&["/opt/volume", "opt"])),
        alone("resolvConf", texts(&["/etc/resolv.conf", "", "/nowhere"])),
        // A name is no address; kubelet finds that out when it opens its port, later than is looked here.
        alone("address", texts(&["0.0.0.0", "::", ""])),
    ]
    .concat()
}

fn numbers() -> Vec<Settings> {
    let numbers = |all: &[i64]| all.iter().map(|number| json!(number)).collect::<Vec<_>>();
    let texts = |words: &[&str]| words.iter().map(|word| json!(word)).collect::<Vec<_>>();
    [
        alone("maxPods", numbers(&[110, 0, -1, 500])),
        alone("oomScoreAdj", numbers(&[-999, 1000, -1001, 1001])),
        alone("imageGCHighThresholdPercent", numbers(&[85, 100, 101, -1, 10])),
        alone("imageGCLowThresholdPercent", numbers(&[50, 100, 101, -1])),
        alone("containerLogMaxFiles", numbers(&[5, 2, 1, 0])),
        alone("containerLogMaxSize", texts(&["10Mi", "0", "-1", "x", "10MB"])),
        alone("containerLogMaxWorkers", numbers(&[1, 0, -1])),
        alone("nodeStatusMaxImages", numbers(&[-1, -2, 0])),
        alone("nodeLeaseDurationSeconds", numbers(&[40, 0, -1])),
        alone("maxParallelImagePulls", numbers(&[1, 0, -1])),
        alone("eventRecordQPS", numbers(&[50, 0, -1])),
        alone("registryPullQPS", numbers(&[5, 0, -1])),
        alone("readOnlyPort", numbers(&[0, 10255, -1, 65536])),
        alone("podPidsLimit", numbers(&[-1, 0, 100, -2])),
        alone("maxOpenFiles", numbers(&[1_000_000, 0, -1])),
        alone("cpuCFSQuotaPeriod", texts(&["100ms", "1us", "1s", "2s", "5ms"])),
        alone("memoryThrottlingFactor", [json!(0.9), json!(0), json!(1.1)]),
        alone("imageMaximumGCAge", texts(&["0s", "1h", "1m", "-1s"])),
        alone("imageMinimumGCAge", texts(&["0s", "1h", "-1s"])),
        alone("nodeStatusUpdateFrequency", texts(&["10s", "0s", "-1s"])),
        alone("nodeStatusReportFrequency", texts(&["5m", "-5m"])),
    ]
    .concat()
}

fn together() -> Vec<Settings> {
    let texts = |map: Value| map;
    vec![
        (("serializeImagePulls", json!(false)), vec![("maxParallelImagePulls", json!(3))]),
        (("serializeImagePulls", json!(true)), vec![("maxParallelImagePulls", json!(3))]),
        (("imageGCHighThresholdPercent", json!(60)), vec![("imageGCLowThresholdPercent", json!(60))]),
        (("imageGCHighThresholdPercent", json!(70)), vec![("imageGCLowThresholdPercent", json!(60))]),
        (("imageMaximumGCAge", json!("1h")), vec![("imageMinimumGCAge", json!("2h"))]),
        (("imageMaximumGCAge", json!("2h")), vec![("imageMinimumGCAge", json!("1h"))]),
        (("enforceNodeAllocatable", json!(["none"])), vec![("cgroupsPerQOS", json!(false))]),
        (("enforceNodeAllocatable", json!(["pods"])), vec![("cgroupsPerQOS", json!(false))]),
        (("enforceNodeAllocatable", json!(["pods", "system-reserved"])), vec![]),
        (
            ("enforceNodeAllocatable", json!(["pods", "system-reserved"])),
            vec![("systemReservedCgroup", json!("/system.slice"))],
        ),
        (("enforceNodeAllocatable", json!(["pods", "none"])), vec![]),
        (("enforceNodeAllocatable", json!(["pod"])), vec![]),
        (("enforceNodeAllocatable", json!(["pods", "pods"])), vec![]),
        (("reservedSystemCPUs", json!("0")), vec![("systemReservedCgroup", json!("/system.slice"))]),
        (("systemCgroups", json!("/system")), vec![]),
        (("systemCgroups", json!("/system")), vec![("cgroupRoot", json!("/"))]),
        (("tlsCertFile", json!("/a.crt")), vec![("tlsPrivateKeyFile", json!(""))]),
        (("cpuManagerPolicyOptions", texts(json!({"full-pcpus-only": "true"}))), vec![]),
        (
            ("imagePullCredentialsVerificationPolicy", json!("NeverVerifyAllowlistedImages")),
            vec![("preloadedImagesVerificationAllowlist", json!(["a.example/b", "docker.io/*"]))],
        ),
        (
            ("imagePullCredentialsVerificationPolicy", json!("NeverVerifyAllowlistedImages")),
            vec![("preloadedImagesVerificationAllowlist", json!(["nginx:1"]))],
        ),
        (
            ("imagePullCredentialsVerificationPolicy", json!("NeverVerifyAllowlistedImages")),
            vec![("preloadedImagesVerificationAllowlist", json!(["docker.io/a*"]))],
        ),
        (("shutdownGracePeriodByPodPriority", json!([{"priority": 0, "shutdownGracePeriodSeconds": 10}])), vec![]),
        (("enableSystemLogQuery", json!(true)), vec![("enableSystemLogHandler", json!(false))]),
        (("enableSystemLogQuery", json!(true)), vec![("enableSystemLogHandler", json!(true))]),
        (("memorySwap", json!({"swapBehavior": "LimitedSwap"})), vec![("failSwapOn", json!(false))]),
        (("memorySwap", json!({"swapBehavior": "Unlimited"})), vec![]),
        (
            ("reservedMemory", json!([{"numaNode": 0, "limits": {"memory": "1Gi"}}])),
            vec![("memoryManagerPolicy", json!("None"))],
        ),
        (("reservedMemory", json!([{"numaNode": 0, "limits": {"cpu": "1"}}])), vec![]),
        (("reservedMemory", json!([{"numaNode": 0, "limits": {"memory": "0"}}])), vec![]),
        (("reservedMemory", json!([{"numaNode": 0, "limits": {"memory": 0}}])), vec![]),
    ]
}

fn deep() -> Vec<Settings> {
    [
        alone(
            "logging",
            [
                json!({"format": "json"}),
                json!({"format": "xml"}),
                json!({"verbosity": 4}),
                json!({"verbosity": -1}),
                json!({"verbosity": "4"}),
                json!({"flushFrequency": "5s"}),
                json!({"flushFrequency": 5}),
                json!({"flushFrequency": "5"}),
                json!({"vmodule": [{"filePattern": "x", "verbosity": 3}]}),
                json!({"unknown": 1}),
                json!({"flushFrequency": "-5s"}),
                json!({"flushFrequency": "0s"}),
                json!({"verbosity": 2_147_483_648_u32}),
                json!({"format": "json", "vmodule": [{"filePattern": "x", "verbosity": 3}]}),
                json!({"vmodule": [{"filePattern": "a=b", "verbosity": 3}]}),
                json!({"vmodule": [{"filePattern": "", "verbosity": 3}]}),
                json!({"options": {"json": {"splitStream": true}}}),
                json!({"options": {"text": {"infoBufferSize": "1Ki"}}}),
                json!({"options": {"text": {"infoBufferSize": "0"}}}),
            ],
        ),
        alone(
            "crashLoopBackOff",
            [json!({"maxContainerRestartPeriod": "60s"}), json!({"maxContainerRestartPeriod": "301s"})],
        ),
        alone(
            "userNamespaces",
            [
                json!({"idsPerPod": 65536}),
                json!({"idsPerPod": 131_072}),
                json!({"idsPerPod": 70_000}),
                json!({"idsPerPod": 1}),
            ],
        ),
        alone(
            "tracing",
            [
                json!({"samplingRatePerMillion": 100}),
                json!({"samplingRatePerMillion": 2_000_000}),
                json!({"endpoint": "localhost:4317"}),
                json!({"endpoint": "http://localhost:4317"}),
                json!({"endpoint": "localhost:grpc"}),
                json!({"endpoint": "unix:///run/otel"}),
                json!({"endpoint": "DNS:///localhost:4317"}),
            ],
        ),
        alone("qosReserved", [json!({"memory": "50%"})]),
        alone("kubeletCgroups", [json!("/kubelet")]),
    ]
    .concat()
}

/// Settings that rest on feature gates which are off, and times of two kinds.
fn gated(facts: &Facts) -> Vec<Case> {
    let case = |gate: &str, field: &str, value: Value| {
        Case::new("kubelet", format!("kubelet/config/{field}"), value)
            .and(format!("kubelet/featureGates/{gate}"), false)
    };
    let by_priority = json!([{"priority": 0, "shutdownGracePeriodSeconds": 10}]);
    let both = |period: &str| {
        Case::new("kubelet", "kubelet/config/shutdownGracePeriodByPodPriority", by_priority.clone())
            .and("kubelet/shutdownGracePeriod", period)
    };
    let mut cases = vec![
        case("GracefulNodeShutdownBasedOnPodPriority", "shutdownGracePeriodByPodPriority", by_priority.clone()),
        case("LoggingBetaOptions", "logging", json!({"format": "json"})),
        both("0s"),
        both("10s"),
    ];
    if facts.component("kubelet").is_some_and(|kubelet| !kubelet.gates["ImageMaximumGCAge"].locked) {
        cases.push(case("ImageMaximumGCAge", "imageMaximumGCAge", json!("1h")));
    }
    cases
}

/// Fields of the specification itself.
fn periods() -> Vec<Case> {
    let case = |whole: &str, critical: &str| {
        Case::new("kubelet", "kubelet/shutdownGracePeriod", whole)
            .and("kubelet/shutdownGracePeriodCriticalPods", critical)
    };
    let reserve = |name: &str, value: &str| Case::new("kubelet", format!("kubelet/kubeReserved/{name}"), value);
    vec![
        case("30s", "10s"),
        case("10s", "30s"),
        case("500ms", "500ms"),
        case("30s", "30s"),
        case("0s", "0s"),
        reserve("cpu", "100m"),
        reserve("memory", "256Mi"),
        reserve("pid", "100"),
        reserve("ephemeral-storage", "1Gi"),
    ]
}
