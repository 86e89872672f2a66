//! Extra flags of the control plane: values of all kinds, unknown flags, flags that went.

use catalog::{ComponentFacts, Facts};

use super::super::case::Case;
use super::{Dice, values};

/// Components that take extra flags, and their sections.
const COMPONENTS: [(&str, &str); 4] = [
    ("etcd", "etcd"),
    ("kube-apiserver", "kubeAPIServer"),
    ("kube-controller-manager", "kubeControllerManager"),
    ("kube-scheduler", "kubeScheduler"),
];
/// Flags whose values can be right only beside files or peers that a case does not have.
const WITHOUT: [&str; 6] = ["bind-address", "cert-dir", "discovery", "discovery-srv", "master", "log-outputs"];
/// Words for some flags whose texts are not free.
const WORDS: [(&str, &[&str]); 43] = [
    ("allow-metric-labels", &["", "a=b", "a,b=c", "a,b=c,d", "\"a,b=c\",\"d,e=f,g\"", "'a,b'=c"]),
    ("api-audiences", &["https://kubernetes.default.svc.cluster.local", ""]),
    ("apiserver-count", &["3", "0", "-1"]),
    ("audit-log-format", &["json", "legacy", "JSON"]),
    ("audit-log-mode", &["batch", "blocking", "blocking-strict", "async"]),
    (
        "auth-token",
        &["simple", "jwt", "jwt,sign-method=RS256", "simple,a", "simple,a=1,a=2", "jwt,sign-method=HS256,ttl=1"],
    ),
    ("auto-compaction-mode", &["periodic", "revision", "hourly"]),
    ("auto-compaction-retention", &["1", "1h", "1.5", "x", "-1", "0", ""]),
    ("cipher-suites", &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_NONE"]),
    (
        "controllers",
        &["*,bootstrapsigner,tokencleaner", "*,-nodeipam", "*,nope", "deployment", "", "-*", "\"*\",-nodeipam"],
    ),
    (
        "cors-allowed-origins",
        &[
            "//example\\.org$",
            "(",
            "example.org",
            "https://example.org",
            "//a[(]$",
            "//a$)(",
            "//example\\.org(:|$)",
            "//[z-a]$",
            "//(?!x)$",
            "//a**$",
            "//[[:a]$",
            "//a{,5}$",
        ],
    ),
    (
        "cors",
        &["*", "", "https://a.example:443, https://b.example:443", "*,https://a.example:443", "https://a.example"],
    ),
    ("disabled-metrics", &["", "a_b,c", "/", "\"a_b\",c"]),
    ("emulated-version", &["1.35", "v1.35", "1.35.0", "1.35.1", "kube=1.35", "kube = 1.35", "kube=1.35,kube=1.34"]),
    ("enable-log-rotation", &["true", "false"]),
    ("endpoint-reconciler-type", &["lease", "none", "master-count", "leases"]),
    ("goaway-chance", &["0.01", "0.03", "-0.1"]),
    ("help", &["true", "F"]),
    ("kube-api-burst", &["-1", "0", "10"]),
    ("kube-api-qps", &["1e400", "1e39", "1_0", "0x_1p-2"]),
    ("leader-elect-resource-lock", &["leases", "endpoints", "configmaps"]),
    ("leader-elect-resource-name", &["", "mine"]),
    ("leader-elect-resource-namespace", &["", "default"]),
    ("listen-client-http-urls", &["", "http://127.0.0.1", "127.0.0.1:2382", "http://127.0.0.1:2382/a"]),
    ("log-flush-frequency", &["5s", "0s", "-1s"]),
    ("log-format", &["json", "console", "text"]),
    ("log-level", &["debug", "info", "warning", "warn", "loud"]),
    ("log-outputs", &["default,stderr", "stderr"]),
    ("logger", &["zap", "capnslog"]),
    ("logging-format", &["text", "json", "JSON", "xml"]),
    ("metrics", &["basic", "extensive", "all"]),
    ("oidc-issuer-url", &["https://issuer.example.org", "http://issuer.example.org", "issuer"]),
    (
        "runtime-config",
        &[
            "api/all=true",
            "batch/v1=false",
            "api/all=maybe",
            "nope/v1=true",
            "apps",
            "api/all",
            "api/v1=false",
            "api/ga=false",
            "batch/v1, api/beta = false",
        ],
    ),
    ("service-account-issuer", &["https://kubernetes.default.svc", "kubernetes", "a:b", ""]),
    ("storage-backend", &["etcd3", "etcd2"]),
    (
        "storage-media-type",
        &["application/json", "application/yaml", "text/plain", "application/vnd.kubernetes.protobuf"],
    ),
    ("strict-transport-security-directives", &["max-age=31536000,includeSubDomains", "preload", "max-age", "never"]),
    (
        "tls-cipher-suites",
        &[
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_NOPE",
            "\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"",
        ],
    ),
    ("tls-min-version", &["VersionTLS12", "VersionTLS13", "TLS1.2", "VersionTLS9"]),
    ("tls-sni-cert-key", &["", "/a.crt", "/a.crt,/a.key,/b", "/a.crt,/a.key:"]),
    ("version", &["true", "raw", "false", "yes", "1.36", "v1.20.0"]),
    ("vmodule", &["=3", "gc*=3"]),
    ("watch-cache-sizes", &["pods#100", "deployments.apps#1000", "pods=100", "pods#many", "pods#-1"]),
];
const VALUES_PER_FLAG: usize = 1;

pub(super) fn cases(facts: &Facts, dice: &mut Dice) -> Vec<Case> {
    let mut cases = Vec::new();
    for (program, section) in COMPONENTS {
        let component = facts.component(program).expect("a component");
        let field = |name: &str| format!("{section}/extraArgs/{name}");
        for (name, flag) in component.flags.iter().filter(|(name, _)| is_free(name)) {
            let words = WORDS.iter().find(|(known, _)| known == name).map(|(_, words)| *words);
            for _ in 0..VALUES_PER_FLAG {
                let good = if dice.below(5) < 2 { values::good(&flag.type_name, dice) } else { None };
                let value = good.unwrap_or_else(|| values::of(&flag.type_name, dice));
                cases.push(Case::new(program, field(name), words.map_or(value, |words| dice.one_of(words))));
            }
        }
        for (name, words) in WORDS.iter().filter(|(name, _)| component.flags.contains_key(*name)) {
            cases.extend(words.iter().map(|word| Case::new(program, field(name), *word)));
        }
        cases.extend(unknown(program, component, dice).into_iter().map(|name| Case::new(program, field(&name), "1")));
    }
    cases
}

/// A flag that no file and no peer is needed for.
fn is_free(name: &str) -> bool {
    const FILES: [&str; 12] = [
        "-file",
        "file-",
        "-dir",
        "kubeconfig",
        "config",
        "-path",
        "-cert",
        "-key",
        "-cafile",
        "-cacert",
        "-crl",
        "-urls",
    ];
    !WITHOUT.contains(&name) && !FILES.iter().any(|part| name.contains(part)) || name == "runtime-config"
}

/// Flags with a slip, of other components, and such as went.
fn unknown(program: &str, component: &ComponentFacts, dice: &mut Dice) -> Vec<String> {
    let names: Vec<&str> = component.flags.keys().map(String::as_str).filter(|name| name.len() > 6).collect();
    let mut unknown: Vec<String> = (0..3).map(|_| slip(dice.one_of(&names), dice)).collect();
    let gone: Vec<&String> = catalog::past().flags.get(program).into_iter().flatten().map(|(name, _)| name).collect();
    unknown.extend((0..3).filter(|_| !gone.is_empty()).map(|_| (*dice.one_of(&gone)).clone()).collect::<Vec<_>>());
    unknown.extend(["proxy-mode", "max-pods"].map(str::to_owned));
    unknown.retain(|name| !component.flags.contains_key(name));
    unknown
}

/// A letter that is missing, or twice there.
pub(super) fn slip(word: &str, dice: &mut Dice) -> String {
    let at = 1 + dice.below(word.len() - 2);
    let (before, after) = word.split_at(at);
    if dice.below(2) == 0 { format!("{before}{}", &after[1..]) } else { format!("{before}{}{after}", &after[..1]) }
}
