//! Requests for serving certificates, as kubelets make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use serde_json::{Value, json};

/// The content of a request, as it stands in its spec.
pub(crate) fn encoded(common_name: &str, organization: &str, names: &[&str]) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, organization);
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if name.contains("://") => SanType::URI((*name).try_into().unwrap()),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        })
        .collect();
    BASE64.encode(parameters.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap())
}

/// A node's request for these names and addresses.
pub(crate) fn request_of(node: &str, names: &[&str]) -> Value {
    let user = format!("system:node:{node}");
    json!({"spec": {
        "signerName": "kubernetes.io/kubelet-serving",
        "username": user,
        "groups": ["system:nodes", "system:authenticated"],
        "usages": ["digital signature", "server auth"],
        "request": encoded(&user, "system:nodes", names),
    }})
}
