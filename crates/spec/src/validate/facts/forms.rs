//! Texts of extra flags that have a form of their own, as the components check it when they start.

use super::values::parse_bool;

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
        ("etcd", "auth-token") => (matches!(first(value, ','), "" | "simple" | "jwt"), "`simple`, or `jwt,…`"),
        ("etcd", "cors") => (origins(value), "`*`, or addresses such as `https://example.org:443`"),
        ("etcd", "cipher-suites") => (suites(value), "names as Go's `crypto/tls` has them"),
        ("etcd", _) => return Ok(()),
        (_, "allow-metric-labels") => (labels(value), "such as `'metric,label=a'`"),
        (_, "cors-allowed-origins") => (anchored(value), "expressions such as `//example\\.org(:|$)`"),
        (_, "emulated-version" | "min-compatibility-version") => (versions(value, minor), "such as `kube=1.35`"),
        (_, "etcd-servers-overrides") => (overrides(value), "such as `/events#https://192.0.2.1:2379`"),
        (_, "requestheader-uid-headers") => (names_uid(value), "name `X-Remote-Uid` too, or leave it out"),
        (_, "runtime-config") => (apis(value), "such as `batch/v1=true,api/beta=false`"),
        (_, "service-account-issuer") => (!value.is_empty(), "such as `https://kubernetes.default.svc`"),
        (_, "service-account-jwks-uri") => (value.is_empty() || value.starts_with("https://"), "an `https://` address"),
        (_, "show-hidden-metrics-for-version") => {
            (value.is_empty() || value == format!("1.{}", minor.saturating_sub(1)), "the minor before, or leave it out")
        }
        (_, "strict-transport-security-directives") => {
            (directives(value), "such as `max-age=31536000,includeSubDomains`")
        }
        (_, "tls-cipher-suites") => (suites(value), "names as Go's `crypto/tls` has them"),
        (_, "tls-curve-preferences") => (curves(value), "numbers that Go knows, each once, such as `29,23`"),
        (_, "watch-cache-sizes") => (sizes(value), "such as `pods#1000,deployments.apps#100`"),
        _ => return Ok(()),
    };
    if is_good { Ok(()) } else { Err(help) }
}

fn first(value: &str, separator: char) -> &str {
    value.split(separator).next().unwrap_or_default()
}

/// The entries of a list; none of an empty text.
fn entries(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(move |_| !value.is_empty())
}

fn suites(value: &str) -> bool {
    entries(value).all(is_suite)
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
    entries(value).all(|entry| {
        let mut parts = entry.split('#');
        let (Some(_), Some(size), None) = (parts.next(), parts.next(), parts.next()) else { return false };
        size.parse::<i64>().is_ok_and(|size| size >= 0)
    })
}

/// `group/resource#servers`, the servers separated by semicolons.
fn overrides(value: &str) -> bool {
    entries(value).all(|entry| {
        let mut parts = entry.split('#');
        let (Some(resource), Some(servers), None) = (parts.next(), parts.next(), parts.next()) else { return false };
        resource.matches('/').count() == 1 && !servers.is_empty()
    })
}

fn names_uid(value: &str) -> bool {
    value.is_empty() || entries(value).any(|header| header.eq_ignore_ascii_case("X-Remote-Uid"))
}

fn directives(value: &str) -> bool {
    entries(value).all(|one| {
        matches!(one, "includeSubDomains" | "preload") || {
            one.split_once('=').is_some_and(|(name, age)| name == "max-age" && !age.contains('='))
        }
    })
}

/// Each expression says where the host's name begins and ends.
fn anchored(value: &str) -> bool {
    entries(value).all(|one| {
        let begins = ["^", "//"].iter().any(|mark| one.contains(mark));
        let ends = ["$", ":"].iter().any(|mark| one.split_once("//").map_or(one, |(_, rest)| rest).contains(mark));
        let (open, close) = (one.matches('(').count(), one.matches(')').count());
        begins && ends && open == close
    })
}

/// `metric,label` before each sign.
fn labels(value: &str) -> bool {
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
    };
    let key = value.trim_start_matches(['"', '\'']).split('=').next().unwrap_or_default();
    value.is_empty() || key.split_once(',').is_some_and(|(metric, label)| name(metric) && name(label))
}

fn versions(value: &str, minor: u32) -> bool {
    entries(value).all(|one| {
        let version = match one.split_once('=') {
            Some(("kube", version)) => version,
            Some(_) => return false,
            None => one,
        };
        let of = version.strip_prefix("1.").and_then(|rest| rest.parse::<u32>().ok());
        of.is_some_and(|of| of <= minor && of + 3 >= minor)
    })
}

/// `*`, or addresses with a scheme, a host and a port, and no path.
fn origins(value: &str) -> bool {
    entries(value).all(|one| {
        let address = one.strip_prefix("http://").or_else(|| one.strip_prefix("https://"));
        one == "*" || address.is_some_and(|rest| !rest.contains('/') && rest.rsplit_once(':').is_some())
    })
}

/// `GROUP/VERSION=true`, and the words for many at once.
fn apis(value: &str) -> bool {
    let is_good = |entry: &str| {
        let (name, on) = entry.split_once('=').unwrap_or((entry, ""));
        let group = name.split_once('/').map_or("", |(group, _)| group);
        let is_known = PLAIN_GROUPS.contains(&group) || GROUPS.contains(&group) || YOUNG_GROUPS.contains(&group);
        is_known && (on.is_empty() || parse_bool(on).is_some())
    };
    entries(value).all(is_good) && value != "api/all=false"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_form_that_components_start_with() {
        for (program, name, good, bad) in [
            ("etcd", "auth-token", &["simple", "jwt,pub-key=/a", ""][..], &["1.30"][..]),
            ("etcd", "cors", &["*", "https://a.example:443"], &["1.30", "https://a.example", "x,*"]),
            ("etcd", "cipher-suites", &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"], &["TLS_NONE"]),
            ("kube-apiserver", "allow-metric-labels", &["", "a,b=c"], &["=", "a=b"]),
            ("kube-apiserver", "cors-allowed-origins", &["//example\\.org$", "^https://a(:|$)"], &["example.org", "("]),
            ("kube-scheduler", "emulated-version", &["1.35", "kube=1.36", ""], &["a=b", "/", "1.37", "1.30"]),
            ("kube-apiserver", "etcd-servers-overrides", &["/events#https://a:2379;https://b:2379"], &["1.30", "a/b"]),
            ("kube-apiserver", "requestheader-uid-headers", &["", "x-remote-uid,y"], &["y"]),
            (
                "kube-apiserver",
                "runtime-config",
                &["api/all=true", "batch/v1=F", "api/all=false,apps/v1=true", ""],
                &["nope/v1=true", "api/all=maybe", "apps", "api/all=false"],
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
}
