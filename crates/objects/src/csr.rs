//! Whether a kubelet's request for a serving certificate may be approved: a decision over the request alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer as _;

use crate::field::{condition, list, text};

/// Where requests for certificates are.
pub(crate) const PATH: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

/// The signer of kubelets' serving certificates.
const SIGNER: &str = "kubernetes.io/kubelet-serving";
const USAGES: &[&str] = &["digital signature", "key encipherment", "server auth"];

/// The names and addresses that a node may have in its serving certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// The node's name, which is an allowed DNS name too.
    pub(crate) node: String,
    pub(crate) dns_names: BTreeSet<String>,
    pub(crate) addresses: BTreeSet<IpAddr>,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Pending,
    Approved,
    /// Denied or failed: somebody's decision, which is left alone.
    Refused,
}

/// The requests for serving certificates of `node`.
pub(crate) fn of_node<'a>(requests: &'a [Value], node: &str) -> Vec<&'a Value> {
    let user = format!("system:node:{node}");
    let is = |request: &&Value| text(request, "/spec/signerName") == SIGNER && text(request, "/spec/username") == user;
    requests.iter().filter(is).collect()
}

/// How far the request has come that a kubelet made with a bootstrap token, and who goes on from there.
pub(crate) fn of_token(requests: &[Value], token_id: &str) -> String {
    let user = format!("system:bootstrap:{token_id}");
    // A kubelet that was started again may have asked again.
    let all = requests.iter().filter(|request| text(request, "/spec/username") == user);
    let Some(request) = all.max_by_key(|request| text(request, "/metadata/creationTimestamp")) else {
        return "its kubelet did not ask for one, or could not reach the API; its log says why: `journalctl -u kubelet`".to_owned();
    };
    let name = text(request, "/metadata/name");
    match stage(request) {
        Stage::Pending => format!("nobody approved the request {name}, which kube-controller-manager does"),
        Stage::Approved if text(request, "/status/certificate").is_empty() => {
            format!("the request {name} was approved but not signed, which kube-controller-manager does")
        }
        Stage::Approved => format!("the request {name} was signed, but its kubelet did not take the certificate"),
        Stage::Refused => format!("the request {name} was refused"),
    }
}

/// How far a request has come.
pub(crate) fn stage(request: &Value) -> Stage {
    let has = |kind| condition(request, kind).is_some_and(|found| text(found, "/status") != "False");
    if has("Denied") || has("Failed") {
        Stage::Refused
    } else if has("Approved") {
        Stage::Approved
    } else {
        Stage::Pending
    }
}

/// Why a request must not be approved; `Ok` when it asks for nothing but what the node may have.
///
/// The rules are the API server's own for this signer, and the allowed names on top. The request's signature was checked
/// by the API server when it was made.
pub(crate) fn check(request: &Value, allowed: &Allowed) -> Result<(), String> {
    let user = format!("system:node:{}", allowed.node);
    if text(request, "/spec/signerName") != SIGNER {
        return Err("it is for another signer".to_owned());
    }
    if text(request, "/spec/username") != user {
        return Err(format!("it was made by {}", text(request, "/spec/username")));
    }
    if !texts(request, "/spec/groups").contains("system:nodes") {
        return Err("its author is not in group system:nodes".to_owned());
    }
    let usages = texts(request, "/spec/usages");
    if let Some(usage) = usages.iter().find(|usage| !USAGES.contains(usage)) {
        return Err(format!("it asks for usage `{usage}`"));
    }
    if !usages.contains("server auth") {
        return Err("it does not ask for usage `server auth`".to_owned());
    }
    check_content(text(request, "/spec/request"), &user, allowed)
}

fn check_content(encoded: &str, user: &str, allowed: &Allowed) -> Result<(), String> {
    let unreadable = |_| "it cannot be read".to_owned();
    let pem = BASE64.decode(encoded).map_err(|_| "it cannot be read".to_owned())?;
    let (_, pem) = parse_x509_pem(&pem).map_err(|_| "it cannot be read".to_owned())?;
    let (_, content) = X509CertificationRequest::from_der(&pem.contents)
        .map_err(unreadable as fn(x509_parser::nom::Err<x509_parser::error::X509Error>) -> String)?;
    let subject = &content.certification_request_info.subject;
    let names: Vec<_> = subject.iter_common_name().map(|name| name.as_str().unwrap_or_default()).collect();
    if names != [user] {
        return Err(format!("its common name is `{}`", names.join(",")));
    }
    let organizations: Vec<_> = subject.iter_organization().map(|name| name.as_str().unwrap_or_default()).collect();
    if organizations != ["system:nodes"] {
        return Err(format!("its organisation is `{}`", organizations.join(",")));
    }
    if subject.iter_attributes().count() != 2 {
        return Err("its subject has more than a common name and an organisation".to_owned());
    }
    let mut count = 0;
    for extension in content.requested_extensions().into_iter().flatten() {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                count += names.general_names.len();
                names.general_names.iter().try_for_each(|name| check_name(name, allowed))?;
            }
            ParsedExtension::BasicConstraints(constraints) if constraints.ca => {
                return Err("it asks for a certificate authority".to_owned());
            }
            _ => {}
        }
    }
    if count == 0 { Err("it names neither a host nor an address".to_owned()) } else { Ok(()) }
}

fn check_name(name: &GeneralName<'_>, allowed: &Allowed) -> Result<(), String> {
    match name {
        GeneralName::DNSName(name) if *name == allowed.node || allowed.dns_names.contains(*name) => Ok(()),
        GeneralName::DNSName(name) => Err(format!("it asks for the foreign name {name}")),
        GeneralName::IPAddress(bytes) => match address(bytes) {
            Some(address) if allowed.addresses.contains(&address) => Ok(()),
            Some(address) => Err(format!("it asks for the foreign address {address}")),
            None => Err("it asks for an address that cannot be read".to_owned()),
        },
        _ => Err("it asks for something that is neither a host nor an address".to_owned()),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn texts<'a>(value: &'a Value, pointer: &str) -> BTreeSet<&'a str> {
    list(value, pointer).iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::samples::{encoded, request_of};
    use super::*;

    #[test]
    fn a_request_that_was_made_with_a_token_says_who_is_to_go_on_with_it() {
        let request = |name: &str, at: &str, status: serde_json::Value| {
            json!({
                "metadata": {"name": name, "creationTimestamp": at},
                "spec": {"username": "system:bootstrap:abcdef"},
                "status": status,
            })
        };
        let condition = |kind: &str| json!([{"type": kind, "status": "True"}]);
        let old = request("csr-old", "2026-11-20T10:00:00Z", json!({"conditions": condition("Denied")}));
        let said = |status| of_token(&[request("csr-1", "2026-11-20T11:00:00Z", status), old.clone()], "abcdef");
        assert_eq!(said(json!({})), "nobody approved the request csr-1, which kube-controller-manager does");
        let approved = said(json!({"conditions": condition("Approved")}));
        assert_eq!(approved, "the request csr-1 was approved but not signed, which kube-controller-manager does");
        let signed = said(json!({"conditions": condition("Approved"), "certificate": "LS0t"}));
        assert_eq!(signed, "the request csr-1 was signed, but its kubelet did not take the certificate");
        assert_eq!(of_token(std::slice::from_ref(&old), "abcdef"), "the request csr-old was refused");
        assert!(of_token(&[old], "ghijkl").starts_with("its kubelet did not ask for one"));
    }

    fn allowed() -> Allowed {
        Allowed {
            node: "w-1".into(),
            dns_names: BTreeSet::from(["w-1.example.com".to_owned()]),
            addresses: BTreeSet::from(["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()]),
        }
    }

    fn request(names: &[&str]) -> Value {
        request_of("w-1", names)
    }

    #[test]
    fn a_kubelet_may_have_its_own_names_and_addresses() {
        assert_eq!(check(&request(&["w-1", "10.0.0.2"]), &allowed()), Ok(()));
        assert_eq!(check(&request(&["w-1.example.com", "fd00::2"]), &allowed()), Ok(()));
    }

    #[test]
    fn foreign_names_are_named() {
        for (name, said) in
            [("w-2", "foreign name w-2"), ("10.0.0.3", "foreign address 10.0.0.3"), ("https://w-1", "neither")]
        {
            let refusal = check(&request(&["w-1", name]), &allowed()).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
        assert!(check(&request(&[]), &allowed()).is_err());
    }

    #[test]
    fn author_usages_and_subject_must_be_the_kubelets() {
        let changed = |pointer: &str, value: Value| {
            let mut request = request(&["w-1"]);
            *request.pointer_mut(pointer).unwrap() = value;
            check(&request, &allowed()).unwrap_err()
        };
        assert!(changed("/spec/username", json!("system:node:w-2")).contains("made by"));
        assert!(changed("/spec/groups", json!(["system:authenticated"])).contains("system:nodes"));
        assert!(changed("/spec/usages", json!(["server auth", "client auth"])).contains("client auth"));
        assert!(changed("/spec/usages", json!(["digital signature"])).contains("server auth"));
        assert!(changed("/spec/signerName", json!("kubernetes.io/kube-apiserver-client")).contains("signer"));
        assert!(changed("/spec/request", json!("!")).contains("read"));
        let other = json!(encoded("system:node:w-2", "system:nodes", &["w-1"]));
        assert!(changed("/spec/request", other).contains("common name"));
        let masters = json!(encoded("system:node:w-1", "system:masters", &["w-1"]));
        assert!(changed("/spec/request", masters).contains("organisation"));
    }

    #[test]
    fn only_undecided_requests_are_pending() {
        let with = |kind: &str| json!({"status": {"conditions": [{"type": kind, "status": "True"}]}});
        assert_eq!(stage(&json!({"status": {}})), Stage::Pending);
        assert_eq!(stage(&with("Approved")), Stage::Approved);
        assert_eq!(stage(&with("Denied")), Stage::Refused);
    }
}
