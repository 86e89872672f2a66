//! Audit policies, keys for Secrets, ranges of ports, and flags that go together or not.

use serde_json::{Value, json};

use super::super::case::Case;

const API_SERVER: &str = "kube-apiserver";

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = rules().into_iter().map(|rule| audit(json!([rule]))).collect();
    cases.push(audit(json!([])));
    cases.push(audit(json!([{"level": "None", "users": ["a"]}, {"level": "Metadata"}])));
    for policy in ["none", "metadata", "recommended"] {
        cases.push(Case::new(API_SERVER, "audit/policy", policy));
    }
    for provider in ["secretbox", "aescbc", "none"] {
        cases.push(Case::new(API_SERVER, "encryptionAtRest/provider", provider));
    }
    for range in
        ["30000-32767", "20000-20000", "30000-70000", "32767-30000", "1000-2000", "30000", "0-0", "10000-10010"]
    {
        cases.push(Case::new(API_SERVER, "kubeAPIServer/serviceNodePortRange", range));
    }
    for (age, backups, size) in [(1, 1, 1), (365, 100, 1000), (0, 1, 1)] {
        let log = json!({"maxAge": age, "maxBackups": backups, "maxSize": size});
        cases.push(Case::new(API_SERVER, "audit/policy", "metadata").and("audit/log", log));
    }
    cases.extend(together());
    cases.extend(against_ours());
    cases.extend(backends());
    cases
}

fn audit(rules: Value) -> Case {
    Case::new(API_SERVER, "audit/policy", "custom").and("audit/rules", rules)
}

fn rules() -> Vec<Value> {
    vec![
        json!({"level": "Metadata"}),
        json!({"level": "metadata"}),
        json!({"level": "All"}),
        json!({"level": null}),
        json!({}),
        json!({"level": 1}),
        json!({"level": "Request", "verbs": ["get", "nonsense"]}),
        json!({"level": "Request", "verbs": "get"}),
        json!({"level": "Request", "verbs": [1]}),
        json!({"level": "Request", "users": [], "userGroups": ["system:masters"]}),
        json!({"level": "Request", "resources": [{"group": "", "resources": ["pods", "pods/log"]}]}),
        json!({"level": "Request", "resources": [{"group": "apps", "resources": ["*"]}]}),
        json!({"level": "Request", "resources": [{"group": "apps/v1", "resources": ["deployments"]}]}),
        json!({"level": "Request", "resources": [{"group": "Apps"}]}),
        json!({"level": "Request", "resources": [{"group": "*"}]}),
        json!({"level": "Request", "resources": [{"resources": ["*/status", "pods/*"]}]}),
        json!({"level": "Request", "resources": [{"resources": ["*/*/x"]}]}),
        json!({"level": "Request", "resources": [{"resourceNames": ["a"]}]}),
        json!({"level": "Request", "resources": [{"resources": ["configmaps"], "resourceNames": ["a"]}]}),
        json!({"level": "Request", "resources": ["pods"]}),
        json!({"level": "Request", "resources": {"group": ""}}),
        json!({"level": "Request", "resources": [{"groups": ""}]}),
        json!({"level": "None", "nonResourceURLs": ["/healthz*", "*", "/version"]}),
        json!({"level": "None", "nonResourceURLs": ["healthz"]}),
        json!({"level": "None", "nonResourceURLs": ["/heal*thz"]}),
        json!({"level": "None", "nonResourceURLs": ["/a"], "resources": [{"group": ""}]}),
        json!({"level": "None", "nonResourceURLs": ["/a"], "namespaces": ["default"]}),
        json!({"level": "None", "nonResourceURLs": ["/a"], "namespaces": []}),
        json!({"level": "None", "namespaces": ["default", ""]}),
        json!({"level": "None", "omitStages": ["RequestReceived", "Panic"]}),
        json!({"level": "None", "omitStages": ["requestReceived"]}),
        json!({"level": "None", "omitStages": "RequestReceived"}),
        json!({"level": "None", "omitManagedFields": true}),
        json!({"level": "None", "omitManagedFields": "yes"}),
        json!({"level": "None", "omitManagedFields": "true"}),
        json!({"level": "None", "user": ["a"]}),
    ]
}

/// A case with one flag of the API server, or with several.
fn flags<const N: usize>(all: [(&str, &str); N]) -> Case {
    let field = |name: &str| format!("kubeAPIServer/extraArgs/{name}");
    let mut all = all.into_iter();
    let (name, value) = all.next().expect("a flag");
    all.fold(Case::new(API_SERVER, field(name), value), |case, (name, value)| case.and(field(name), value))
}

/// Flags that need or exclude what kubewright sets.
fn against_ours() -> Vec<Case> {
    const ISSUER: &str = concat!(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n- issuer:\n",
        "    url: https://issuer.example.org\n    audiences: [x]\n",
        "  claimMappings: {username: {claim: sub, prefix: ''}}\n",
    );
    let file = json!([{"path": "/etc/mine.yaml", "content": ISSUER}]);
    let oidc =
        |more: (&str, &str)| flags([("oidc-client-id", "x"), ("oidc-issuer-url", "https://issuer.example.org"), more]);
    let reload = |on: &str, provider: &str| {
        flags([("encryption-provider-config-automatic-reload", on)]).and("encryptionAtRest/provider", provider)
    };
    vec![
        flags([("authorization-config", "/etc/mine.yaml")]),
        flags([("authorization-policy-file", "/etc/mine.yaml")]),
        flags([("authorization-webhook-config-file", "/etc/mine.yaml")]),
        flags([("authentication-config", "/etc/mine.yaml")]).and("files", file.clone()),
        flags([("authentication-config", "/etc/mine.yaml"), ("oidc-username-claim", "sub")]).and("files", file),
        oidc(("oidc-issuer-url", "http://issuer.example.org")),
        oidc(("oidc-issuer-url", "https://user@issuer.example.org")),
        oidc(("oidc-issuer-url", "https://issuer.example.org/a?b=c")),
        oidc(("oidc-issuer-url", "https://issuer.example.org/a#b")),
        oidc(("oidc-issuer-url", "https://a:port")),
        oidc(("oidc-issuer-url", "https://a.example/%zz")),
        oidc(("oidc-signing-algs", "RS256,ES512")),
        oidc(("oidc-required-claim", "aud=a,b")),
        oidc(("oidc-required-claim", "aud")),
        oidc(("oidc-signing-algs", "HS256")),
        oidc(("oidc-signing-algs", "rs256")),
        reload("true", "none"),
        reload("true", "secretbox"),
        reload("false", "none"),
        Case::new("kube-controller-manager", "kubeControllerManager/extraArgs/node-cidr-mask-size-ipv6", "64"),
        Case::new("kube-controller-manager", "kubeControllerManager/extraArgs/node-cidr-mask-size-ipv6", "0"),
        Case::new("kube-scheduler", "kubeScheduler/extraArgs/write-config-to", "/tmp/written"),
        Case::new("kube-scheduler", "kubeScheduler/extraArgs/kube-api-burst", "-1")
            .and("kubeScheduler/extraArgs/kube-api-qps", "-1"),
        Case::new("kube-controller-manager", "kubeControllerManager/extraArgs/kube-api-burst", "-1")
            .and("kubeControllerManager/extraArgs/kube-api-qps", "-1"),
        Case::new("kube-scheduler", "kubeScheduler/extraArgs/allow-metric-labels", "a,b=c")
            .and("kubeScheduler/extraArgs/allow-metric-labels-manifest", "/etc/hosts"),
        Case::new("kube-scheduler", "kubeScheduler/featureGates/AllAlpha", true)
            .and("kubeScheduler/extraArgs/log-text-split-stream", "true"),
        Case::new("kube-scheduler", "kubeScheduler/featureGates/AllAlpha", true)
            .and("kubeScheduler/featureGates/AllBeta", false),
        Case::new("kube-scheduler", "kubeScheduler/featureGates/AllBeta", false)
            .and("kubeScheduler/extraArgs/logging-format", "json"),
        Case::new("kube-scheduler", "kubeScheduler/extraArgs/emulated-version", "1.34")
            .and("kubeScheduler/extraArgs/min-compatibility-version", "1.35"),
        Case::new(API_SERVER, "featureGates/LoggingBetaOptions", false)
            .and("kubeAPIServer/extraArgs/logging-format", "json"),
    ]
}

/// Flags about the log of requests and about a service that is told of them, which are looked at where there is one.
fn backends() -> Vec<Case> {
    const SERVICE: &str = concat!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a}}]\n",
        "clusters: [{name: a, cluster: {server: 'http://192.0.2.1'}}]\n",
    );
    let log = |name: &str, value: &str| flags([(name, value)]).and("audit/policy", "metadata");
    let batch =
        |name: &str, value: &str| flags([("audit-log-mode", "batch"), (name, value)]).and("audit/policy", "metadata");
    let service = |name: &str, value: &str| {
        let files = json!([{"path": "/etc/audit.yaml", "content": SERVICE}]);
        flags([("audit-webhook-config-file", "/etc/audit.yaml"), (name, value)]).and("files", files)
    };
    vec![
        log("audit-log-mode", "blocking-strict"),
        log("audit-log-mode", "async"),
        log("audit-log-mode", ""),
        log("audit-log-format", "legacy"),
        log("audit-log-format", "JSON"),
        log("audit-log-version", "audit.k8s.io/v1"),
        log("audit-log-version", "audit.k8s.io/v1beta1"),
        log("audit-log-version", ""),
        log("audit-log-batch-buffer-size", "0"),
        log("audit-log-truncate-max-event-size", "0"),
        log("audit-log-truncate-max-event-size", "10485761"),
        log("audit-log-truncate-max-batch-size", "1024"),
        batch("audit-log-batch-buffer-size", "0"),
        batch("audit-log-batch-max-size", "0"),
        batch("audit-log-batch-throttle-enable", "true"),
        batch("audit-log-batch-throttle-qps", "-1"),
        batch("audit-log-batch-throttle-enable", "true")
            .and("kubeAPIServer/extraArgs/audit-log-batch-throttle-qps", "1")
            .and("kubeAPIServer/extraArgs/audit-log-batch-throttle-burst", "1"),
        flags([("audit-log-mode", "async")]),
        flags([("audit-webhook-mode", "async")]),
        service("audit-webhook-mode", "async"),
        service("audit-webhook-mode", "blocking"),
        service("audit-webhook-version", "v1"),
        service("audit-webhook-batch-max-size", "0"),
        service("audit-webhook-batch-throttle-qps", "0"),
        service("audit-webhook-truncate-max-event-size", "0"),
    ]
}

/// Flags that need or exclude each other.
fn together() -> Vec<Case> {
    let api = |name: &str| format!("kubeAPIServer/extraArgs/{name}");
    let managers = |name: &str| format!("kubeControllerManager/extraArgs/{name}");
    let scheduler = |name: &str| format!("kubeScheduler/extraArgs/{name}");
    let etcd = |name: &str| format!("etcd/extraArgs/{name}");
    let of_leader = |program: &'static str, of: &dyn Fn(&str) -> String, lease: &str, renew: &str, retry: &str| {
        Case::new(program, of("leader-elect-lease-duration"), lease)
            .and(of("leader-elect-renew-deadline"), renew)
            .and(of("leader-elect-retry-period"), retry)
    };
    vec![
        Case::new(API_SERVER, api("oidc-issuer-url"), "https://issuer.example.org").and(api("oidc-client-id"), "x"),
        Case::new(API_SERVER, api("oidc-client-id"), "x"),
        Case::new(API_SERVER, api("audit-log-batch-max-size"), "10").and(api("audit-log-batch-buffer-size"), "5"),
        Case::new(API_SERVER, api("max-requests-inflight"), "0").and(api("max-mutating-requests-inflight"), "0"),
        Case::new(API_SERVER, api("max-requests-inflight"), "5").and(api("max-mutating-requests-inflight"), "0"),
        Case::new(API_SERVER, api("shutdown-delay-duration"), "10s").and(api("shutdown-send-retry-after"), "true"),
        Case::new(API_SERVER, api("service-account-max-token-expiration"), "30m"),
        Case::new(API_SERVER, api("service-account-max-token-expiration"), "2h"),
        Case::new(API_SERVER, api("service-account-extend-token-expiration"), "false"),
        Case::new(API_SERVER, api("tls-min-version"), "VersionTLS13")
            .and(api("tls-cipher-suites"), "TLS_AES_128_GCM_SHA256"),
        of_leader("kube-controller-manager", &managers, "15s", "10s", "2s"),
        of_leader("kube-controller-manager", &managers, "10s", "10s", "2s"),
        of_leader("kube-controller-manager", &managers, "15s", "2s", "2s"),
        of_leader("kube-scheduler", &scheduler, "60s", "40s", "5s"),
        of_leader("kube-scheduler", &scheduler, "10s", "15s", "2s"),
        of_leader("kube-scheduler", &scheduler, "15s", "10s", "9s"),
        Case::new("etcd", etcd("heartbeat-interval"), "200").and(etcd("election-timeout"), "2000"),
        Case::new("etcd", etcd("heartbeat-interval"), "500").and(etcd("election-timeout"), "1000"),
        Case::new("etcd", etcd("election-timeout"), "60000"),
        Case::new("etcd", etcd("heartbeat-interval"), "0"),
        Case::new("etcd", etcd("auto-compaction-mode"), "periodic").and(etcd("auto-compaction-retention"), "5m"),
        Case::new("etcd", etcd("auto-compaction-mode"), "revision").and(etcd("auto-compaction-retention"), "1000"),
        Case::new("etcd", etcd("auto-compaction-mode"), "revision").and(etcd("auto-compaction-retention"), "1h"),
        Case::new("etcd", etcd("tls-min-version"), "TLS1.3").and(etcd("tls-max-version"), "TLS1.2"),
        Case::new("etcd", etcd("tls-min-version"), "TLS1.2").and(etcd("tls-max-version"), "TLS1.3"),
        Case::new("etcd", etcd("tls-min-version"), "VersionTLS12"),
        Case::new("etcd", etcd("enable-distributed-tracing"), "true")
            .and(etcd("distributed-tracing-sampling-rate"), "1000001"),
        Case::new("etcd", etcd("listen-client-http-urls"), "https://127.0.0.1:2379"),
        Case::new("etcd", etcd("feature-gates"), "AllAlpha=true,LeaseCheckpointPersist=true"),
        Case::new("etcd", etcd("feature-gates"), "AllAlpha=true,LeaseCheckpoint=false"),
        Case::new("etcd", etcd("enable-pprof"), "true").and(etcd("log-level"), "debug"),
    ]
}
