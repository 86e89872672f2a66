//! Documents from reports about tools of this field, each in a file of `cases/`, with the right answer to it.

use crate::user::User;

/// Refused before anything is stored.
const REFUSED: i32 = 10;
/// Taken, with or without a warning.
const TAKEN: i32 = 0;

/// A file of `cases/`, the exit code, and what is said of it: in which line, of which field, what, and what to write instead.
const CASES: [(&str, i32, &[[&str; 3]]); 29] = [
    (
        "additions-that-are-no-toml",
        REFUSED,
        &[["11", "spec.containerd.additions: `additions` is no TOML", "look at its line 1"]],
    ),
    (
        "admission-plugin-that-went",
        REFUSED,
        &[[
            "11",
            "spec.kubeAPIServer.admissionPlugins.enable[0]: kube-apiserver 1.36 has no admission plugin",
            "Kubernetes 1.25",
        ]],
    ),
    (
        "anonymous-requests-off",
        REFUSED,
        &[["11", "spec.kubeAPIServer.extraArgs.anonymous-auth: without anonymous requests", "remove it"]],
    ),
    ("api-on-the-port-of-ssh", REFUSED, &[["10", "spec.api.port: port 22 of the API", "such as 6443"]]),
    (
        "api-server-flag-that-went",
        REFUSED,
        &[["11", "spec.kubeAPIServer.extraArgs.cloud-provider: kube-apiserver 1.36 has no flag", "Kubernetes 1.33"]],
    ),
    (
        "audit-rule-of-two-kinds",
        REFUSED,
        &[["16", "spec.audit.rules[0].nonResourceURLs: one rule can't speak of", "write two rules"]],
    ),
    ("byte-order-marks-inside", TAKEN, &[]),
    (
        "certificate-that-is-none",
        REFUSED,
        &[["12", "spec.containerd.extraCAs[\"registry.example.org\"]: this text is not a certificate", "openssl x509"]],
    ),
    (
        "controller-manager-flag-that-went",
        REFUSED,
        &[[
            "11",
            "spec.kubeControllerManager.extraArgs.pod-eviction-timeout: kube-controller-manager 1.36",
            "Kubernetes 1.27",
        ]],
    ),
    ("endpoint-localhost", REFUSED, &[["10", "spec.api.endpoint: the endpoint localhost", "a load balancer"]]),
    ("endpoint-loopback", REFUSED, &[["10", "spec.api.endpoint: the endpoint 127.0.0.1", "a load balancer"]]),
    ("endpoint-of-all-addresses", REFUSED, &[["10", "spec.api.endpoint: the endpoint 0.0.0.0", "a load balancer"]]),
    ("endpoint-with-ipv6", REFUSED, &[["10", "spec.api.endpoint: the endpoint 2001:db8::10", "a load balancer"]]),
    (
        "feature-gate-that-never-was",
        REFUSED,
        &[["10", "spec.featureGates.NoSuchGateAnywhere: no component of Kubernetes 1.36 has", "remove it"]],
    ),
    (
        "feature-gate-that-went",
        REFUSED,
        &[[
            "11",
            "spec.kubelet.featureGates.DynamicKubeletConfig: kubelet of Kubernetes 1.36 has not",
            "Kubernetes 1.26",
        ]],
    ),
    (
        "files-of-kubewright",
        REFUSED,
        &[
            ["10", "spec.files[0].path: `/usr/local/bin/kubelet` belongs to kubewright", "another path"],
            ["15", "spec.files[1].path: `/etc/containerd/certs.d/docker.io/hosts.toml` belongs to", "another path"],
            ["18", "spec.files[2].path: `/etc/systemd/system/haproxy.service` would stand for a unit", "another path"],
            ["21", "spec.files[3].path: `/etc/kubernetes` is a directory of kubewright's", "another path"],
        ],
    ),
    (
        "flag-mistyped",
        REFUSED,
        &[["11", "spec.kubeAPIServer.extraArgs.max-request-inflight:", "did you mean `max-requests-inflight`?"]],
    ),
    ("flag-that-names-a-file", TAKEN, &[]),
    (
        "image-collection-that-never-stops",
        REFUSED,
        &[["12", "spec.kubelet.config.imageGCLowThresholdPercent: image collection", "`imageGCHighThresholdPercent`"]],
    ),
    (
        "kubelet-values-of-the-wrong-type",
        REFUSED,
        &[
            ["11", "spec.kubelet.config.maxPods: kubelet 1.36 wants a whole number", "write `100`, without quotes"],
            ["12", "spec.kubelet.config.serializeImagePulls: kubelet 1.36 wants a truth value", "write `false`"],
            ["13", "spec.kubelet.config.nodeStatusUpdateFrequency: kubelet 1.36 wants a duration", "write `10s`"],
            [
                "15",
                "spec.kubelet.config.evictionHard[\"memory.available\"]: kubelet 1.36 wants a text",
                "write `\"500\"`",
            ],
        ],
    ),
    (
        "login-of-a-mirror",
        TAKEN,
        &[[
            "14",
            "spec.containerd.registryCredentials[\"mirror.example.org\"]: the login of",
            "write it under `docker.io`",
        ]],
    ),
    ("mirror-below-a-path", TAKEN, &[]),
    (
        "more-pods-than-addresses-in-a-group",
        TAKEN,
        &[["29", "spec.kubelet.config.maxPods: kubelet takes 500 pods", "to 254 or less"]],
    ),
    (
        "more-processors-reserved-than-there-are",
        REFUSED,
        &[["28", "spec.machine.cpus: kube and system reserves are 3 processors", "reserve less"]],
    ),
    (
        "node-ports-over-ssh",
        REFUSED,
        &[["10", "spec.kubeAPIServer.serviceNodePortRange: the node ports 1-2000 include port 22", "`30000-32767`"]],
    ),
    (
        "placeholders-of-another-tool",
        REFUSED,
        &[["12", "spec.files[0].content: machines fill in what stands between braces", "`{{ instance }}`"]],
    ),
    (
        "reserve-enforced-on-no-cgroup",
        REFUSED,
        &[[
            "11",
            "spec.kubelet.config.enforceNodeAllocatable[1]: kubelet does not start",
            "set `systemReservedCgroup`",
        ]],
    ),
    (
        "resolver-with-ipv6-only",
        TAKEN,
        &[["10", "spec.networking.upstreamResolvers[0]: the resolver 2001:db8::53", "a resolver with an IPv4 address"]],
    ),
    (
        "soft-eviction-without-grace-period",
        REFUSED,
        &[[
            "12",
            "spec.kubelet.config.evictionSoft[\"memory.available\"]: kubelet does not start",
            "add `evictionSoftGracePeriod",
        ]],
    ),
];

#[test]
fn every_case_is_answered_with_its_line_its_field_and_what_to_write() {
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line/cases");
    let files = std::fs::read_dir(&cases).expect("there are cases").count();
    assert_eq!(files, CASES.len(), "every file has its answer");
    let user = User::new();
    for (name, code, said) in CASES {
        let file = cases.join(format!("{name}.yaml")).display().to_string();
        let output = user.run(&["create", "cluster", "terminal1", "-f", &file, "--dry-run"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{name}: {text}");
        let findings: Vec<String> = text.split("spec::").map(in_one_line).collect();
        for [line, what, help] in said {
            let place = format!("{name}.yaml:{line}:");
            let is_said = |finding: &String| [&place, *what, *help].iter().all(|part| finding.contains(*part));
            assert!(findings.iter().any(is_said), "{name}: {line} {what} {help}: {text}");
        }
        // One control plane is said of most of them.
        let warnings = text.matches('⚠').count() - text.matches("spec::one-control-plane").count();
        let told = if code == REFUSED { text.matches('×').count() } else { warnings };
        assert_eq!(told, said.len(), "{name}: {text}");
    }
    assert!(!user.path(".local/state/kubewright/clusters").exists(), "nothing was stored");
}

/// What is said, without frames and the ends of lines that the terminal's width makes.
fn in_one_line(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}
