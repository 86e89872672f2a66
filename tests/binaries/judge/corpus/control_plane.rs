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
        Case::new("etcd", etcd("enable-pprof"), "true").and(etcd("log-level"), "debug"),
    ]
}
