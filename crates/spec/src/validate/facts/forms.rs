//! Texts of extra flags that have a form of their own, as the components check it when they start.

use super::values::{minor_before, parse_bool, string_pairs, string_slice};

mod etcd;
mod expression;
mod issuer;

/// Names of groups in `--runtime-config` beside those of `NAME.k8s.io`.
const PLAIN_GROUPS: [&str; 5] = ["api", "apps", "autoscaling", "batch", "policy"];
const GROUPS: [&str; 17] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];
/// Came or went with a minor that is supported.
const YOUNG_GROUPS: [&str; 2] = ["storagemigration.k8s.io", "extensions"];

/// Curves of key exchanges that Go knows, by number.
const CURVES: [u32; 7] = [23, 24, 25, 29, 4587, 4588, 4589];

/// The suites that Go knows by name, the insecure ones too (`crypto/tls`).
pub(in super::super) const SUITES: [&str; 24] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];
const MORE_SUITES: [&str; 3] =
    ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_RSA_WITH_RC4_128_SHA"];

/// What is wrong with the value of a flag, as what to write; nothing where it is taken or not known.
pub(super) fn check(program: &str, name: &str, value: &str, minor: u32) -> Result<(), &'static str> {
    let (is_good, help) = match (program, name) {
        ("etcd", "auth-token") => (etcd::tokens(value), "`simple`, or `jwt,sign-method=RS256,priv-key=/a.key,ttl=10m`"),
        ("etcd", "cors") => (etcd::origins(value), "`*`, or addresses such as `https://example.org:443`"),
        ("etcd", "listen-client-http-urls") => {
            (etcd::addresses(value), "such as `https://192.0.2.1:2382`, without a path")
        }
        ("etcd", "cipher-suites") => (entries(value).all(is_suite), "names as Go's `crypto/tls` has them"),
        ("etcd", _) => return Ok(()),
        (_, "allow-metric-labels") => (labels(value), "such as `metric,label=a,b`"),
        (_, "cors-allowed-origins") => (anchored(value), "expressions such as `//example\\.org(:|$)`"),
        (_, "disabled-metrics") if minor >= 36 => {
            (all(value, is_metric), "full names of metrics, such as `apiserver_request_total`")
        }
        (_, "emulated-version" | "min-compatibility-version") => (versions(value, minor), "such as `kube=1.35`"),
        (_, "etcd-servers-overrides") => (overrides(value), "such as `/events#https://192.0.2.1:2379`"),
        (_, "oidc-issuer-url") => (issuer::is_good(value), "an `https://` address without a user, `?` and `#`"),
        (_, "oidc-signing-algs") => {
            (all(value, |one| ALGORITHMS.contains(&one)), "RS, ES or PS with 256, 384 or 512, such as `RS256,ES256`")
        }
        // A lease without a name is never got.
        (_, "leader-elect-resource-name" | "leader-elect-resource-namespace") => {
            (!value.is_empty(), "a name, or leave it out")
        }
        (_, "requestheader-uid-headers") => (names_uid(value), "name `X-Remote-Uid` too, or leave it out"),
        (_, "runtime-config") => (apis(value), "such as `batch/v1=true,api/beta=false`"),
        (_, "service-account-issuer") => (!value.is_empty(), "such as `https://kubernetes.default.svc`"),
        (_, "service-account-jwks-uri") => (value.is_empty() || value.starts_with("https://"), "an `https://` address"),
        (_, "show-hidden-metrics-for-version") => {
            (value.is_empty() || value == minor_before(minor), "the minor before, or leave it out")
        }
        (_, "strict-transport-security-directives") => {
            (directives(value), "such as `max-age=31536000,includeSubDomains`")
        }
        (_, "tls-cipher-suites") => (all(value, is_suite), "names as Go's `crypto/tls` has them"),
        (_, "tls-curve-preferences") => (curves(value), "numbers that Go knows, each once, such as `29,23`"),
        // What the components call themselves may have an ending of one's own.
        (_, "version") if value.starts_with('v') => {
            (value.starts_with(&format!("v1.{minor}.")), "the version that it has, or leave it out")
        }
        (_, "watch-cache-sizes") => (sizes(value), "such as `pods#1000,deployments.apps#100`"),
        _ => return Ok(()),
    };
    if is_good { Ok(()) } else { Err(help) }
}

/// Whether a program prints or writes something and ends, instead of doing its work.
pub(super) fn ends(program: &str, name: &str, value: &str) -> bool {
    match name {
        "help" => parse_bool(value) == Some(true),
        "version" => value == "raw" || parse_bool(value) == Some(true),
        "write-config-to" => program == "kube-scheduler" && !value.is_empty(),
        _ => false,
    }
}

/// The entries of a list; none of an empty text.
fn entries(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(move |_| !value.is_empty())
}

/// Whether every entry of a list is good. What can't be read as one is complained about elsewhere.
fn all(value: &str, is_good: impl Fn(&str) -> bool) -> bool {
    string_slice(value).unwrap_or_default().iter().all(|one| is_good(one))
}

/// Whether Go knows a suite of TLS.
pub(in super::super) fn is_suite(name: &str) -> bool {
    SUITES.contains(&name) || MORE_SUITES.contains(&name)
}

fn curves(value: &str) -> bool {
    let all: Option<Vec<u32>> = entries(value).map(|number| number.parse().ok()).collect();
    all.is_some_and(|all| {
        let is_first = |(at, number): (usize, &u32)| !all[..at].contains(number);
        all.iter().all(|number| CURVES.contains(number)) && all.iter().enumerate().all(is_first)
    })
}

fn sizes(value: &str) -> bool {
    all(value, |entry| {
        let mut parts = entry.split('#');
        let (Some(_), Some(size), None) = (parts.next(), parts.next(), parts.next()) else { return false };
        size.parse::<i64>().is_ok_and(|size| size >= 0)
    })
}

/// `group/resource#servers`, the servers separated by semicolons.
fn overrides(value: &str) -> bool {
    all(value, |entry| {
        let mut parts = entry.split('#');
        let (Some(resource), Some(servers), None) = (parts.next(), parts.next(), parts.next()) else { return false };
        resource.matches('/').count() == 1 && !servers.is_empty()
    })
}

fn names_uid(value: &str) -> bool {
    value.is_empty() || !all(value, |header| !header.eq_ignore_ascii_case("X-Remote-Uid"))
}

fn directives(value: &str) -> bool {
    all(value, |one| {
        matches!(one, "includeSubDomains" | "preload") || {
            one.split_once('=').is_some_and(|(name, age)| name == "max-age" && !age.contains('='))
        }
    })
}

/// Each expression says where the host's name begins and ends; to kube-apiserver the colon of `https:` is an end, too.
fn anchored(value: &str) -> bool {
    all(value, |one| {
        let has = |marks: [&str; 2]| marks.iter().any(|mark| one.contains(mark));
        has(["^", "//"]) && has(["$", ":"]) && expression::compiles(one)
    })
}

/// `metric,label` before each sign.
fn labels(value: &str) -> bool {
    let is_good = |key: &str| {
        key.split_once(',').is_some_and(|(metric, label)| is_metric(metric) && is_metric(label) && !label.contains(':'))
    };
    string_pairs(value).is_some_and(|pairs| pairs.iter().all(|(key, _)| is_good(key)))
}

fn is_metric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

/// Signatures that tokens of OpenID Connect may have.
const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/// Versions of Kubernetes, of which there is one.
fn versions(value: &str, minor: u32) -> bool {
    let list = string_slice(value).unwrap_or_default();
    list.len() <= 1 && list.iter().all(|one| minor_of(one).is_some_and(|of| of <= minor && of + 3 >= minor))
}

/// The minor of `1.35` or `kube=1.35`.
pub(super) fn minor_of(text: &str) -> Option<u32> {
    let version = match text.split_once('=') {
        Some((of, version)) if of.trim() == "kube" => version.trim(),
        Some(_) => return None,
        None => text,
    };
    let rest = version.strip_prefix('v').unwrap_or(version).strip_prefix("1.")?;
    rest.strip_suffix(".0").unwrap_or(rest).parse().ok()
}

/// Words for many APIs at once; they want `true` or `false` in no other spelling.
const MANY: [&str; 4] = ["api/all", "api/alpha", "api/beta", "api/ga"];

/// The API of pods, Secrets and the like.
const CORE: &str = "api/v1";

/// `GROUP/VERSION=true`, and the words for many at once.
fn apis(value: &str) -> bool {
    let is_good = |entry: &str| {
        let (name, on) = entry.split_once('=').unwrap_or((entry, ""));
        let (name, on) = (name.trim(), on.trim());
        if MANY.contains(&name) {
            return matches!(on, "true" | "false");
        }
        // kube-apiserver panics without the API of pods.
        if name == CORE && parse_bool(on) == Some(false) {
            return false;
        }
        let group = name.split_once('/').map_or("", |(group, _)| group);
        let is_known = PLAIN_GROUPS.contains(&group) || GROUPS.contains(&group) || YOUNG_GROUPS.contains(&group);
        is_known && (on.is_empty() || parse_bool(on).is_some())
    };
    entries(value).filter(|entry| !entry.is_empty()).all(is_good) && value != "api/all=false"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_form_that_components_start_with() {
        for (program, name, good, bad) in [
            (
                "etcd",
                "auth-token",
                &["simple", "jwt,pub-key=/a,sign-method=RS256", "jwt,sign-method=HS256,priv-key=/a,ttl=1m", ""][..],
                &[
                    "1.30",
                    "jwt",
                    "jwt,pub-key=/a",
                    "jwt,sign-method=RS256",
                    "jwt,sign-method=none,priv-key=/a",
                    "jwt,sign-method=HS256,pub-key=/a",
                    "jwt,sign-method=RS256,priv-key=/a,ttl=5",
                    "simple,a",
                    "simple,a=1,a=2",
                ][..],
            ),
            (
                "etcd",
                "listen-client-http-urls",
                &["", "https://a:1,http://[::1]:2"],
                &["a:1", "https://a", "http://a:1/x"],
            ),
            (
                "etcd",
                "cors",
                &["*", "https://a.example:443", "https://a:1, https://b:2"],
                &["", "1.30", "https://a.example", "x,*", "*,https://a:1"],
            ),
            ("etcd", "cipher-suites", &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"], &["TLS_NONE"]),
            (
                "kube-apiserver",
                "allow-metric-labels",
                &["a,b=c", "a,b=c,d", "\"a,b=c\",\"d,e=f\""],
                &["", "=", "a=b", "'a,b=c'"],
            ),
            (
                "kube-apiserver",
                "cors-allowed-origins",
                &["//example\\.org$", "^https://a(:|$)", "https://example.org", "//a\\(b[(]$"],
                &["example.org", "(", "//a$)(", "//a[$", "//[z-a]$", "//(?!x)$", "//a**$"],
            ),
            (
                "kube-scheduler",
                "emulated-version",
                &["1.35", "kube=1.36", "", "v1.35", "1.35.0", "kube = 1.35"],
                &["a=b", "/", "1.37", "1.30", "1.35.1", "kube=1.35,kube=1.34", "1.35,1.35"],
            ),
            ("kube-scheduler", "version", &["true", "v1.36.3-mine"], &["v1.20.0"]),
            ("kube-scheduler", "disabled-metrics", &["", "a_b,c", "\"a_b\",c"], &["/", "a,"]),
            ("kube-scheduler", "leader-elect-resource-name", &["a"], &[""]),
            (
                "kube-apiserver",
                "oidc-issuer-url",
                &["", "https://a.example/b", "HTTPS://a"],
                &["http://a", "a", "https://u@a", "https://a?b", "https://a#b", "https://a:port", "https://a/%zz"],
            ),
            ("kube-apiserver", "oidc-signing-algs", &["", "RS256,PS512"], &["HS256", "RS256,", "rs256"]),
            ("kube-apiserver", "etcd-servers-overrides", &["/events#https://a:2379;https://b:2379"], &["1.30", "a/b"]),
            ("kube-apiserver", "requestheader-uid-headers", &["", "x-remote-uid,y"], &["y"]),
            (
                "kube-apiserver",
                "runtime-config",
                &["api/all=true", "batch/v1=F", "api/all=false,apps/v1=true", "", "batch/v1, api/beta = false"],
                &["nope/v1=true", "api/all=maybe", "apps", "api/all=false", "api/all", "api/ga=T", "api/v1=false"],
            ),
            ("kube-apiserver", "service-account-issuer", &["a"], &[""]),
            ("kube-apiserver", "service-account-jwks-uri", &["https://a", ""], &["*"]),
            ("kube-apiserver", "show-hidden-metrics-for-version", &["", "1.35"], &["1.36", "*"]),
            ("kube-apiserver", "strict-transport-security-directives", &["max-age=1,preload"], &["max-age", "never"]),
            ("kube-apiserver", "tls-curve-preferences", &["", "29,23"], &["1", "23,23", "x"]),
            ("kube-apiserver", "watch-cache-sizes", &["pods#100", ""], &["pods=1", "pods#-1", "a#1#2"]),
        ] {
            for value in good {
                assert_eq!(check(program, name, value, 36), Ok(()), "{program} {name} {value}");
            }
            for value in bad {
                assert!(check(program, name, value, 36).is_err(), "{program} {name} {value}");
            }
        }
    }

    #[test]
    fn entries_of_lists_may_stand_in_quotes() {
        for (value, is_good) in
            [("\"TLS_AES_128_GCM_SHA256\"", true), ("", true), ("TLS_NONE", false), ("\"TLS_NONE\"", false)]
        {
            assert_eq!(check("kube-scheduler", "tls-cipher-suites", value, 36).is_ok(), is_good, "{value}");
        }
    }

    #[test]
    fn programs_that_print_do_nothing_else() {
        for (program, name, value) in [
            ("etcd", "version", "T"),
            ("kube-apiserver", "version", "raw"),
            ("kube-controller-manager", "help", "1"),
            ("kube-scheduler", "write-config-to", "/a"),
        ] {
            assert!(ends(program, name, value), "{program} {name} {value}");
        }
        for (program, name, value) in [
            ("etcd", "version", "false"),
            ("kube-apiserver", "version", "v1.36.3-mine"),
            ("kube-scheduler", "write-config-to", ""),
            ("kube-apiserver", "profiling", "true"),
        ] {
            assert!(!ends(program, name, value), "{program} {name} {value}");
        }
    }
}
