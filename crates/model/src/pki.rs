//! Authorities, certificates, kubeconfigs, keys and logins.

use std::collections::BTreeMap;

use ::pki::leaves::{self, ControlPlane, Place};
use ::pki::{Authority, AuthorityWish, Cipher, LeafWish};
use serde_json::{Value, json};
use spec::{EncryptionProvider, RegistryCredential};

use crate::builder::{Builder, encode};
use crate::ids::{self, output};
use crate::{Machine, ModelError, Resolved};

pub(crate) const AUTHORITIES: [Authority; 3] = [Authority::Kubernetes, Authority::Etcd, Authority::FrontProxy];

pub(crate) fn build(resolved: &Resolved, builder: &mut Builder<'_>) -> Result<(), ModelError> {
    let days = resolved.cluster.spec.pki.ca_validity_days;
    for authority in AUTHORITIES {
        let wish = AuthorityWish { validity_days: days, ..AuthorityWish::new(authority) };
        builder.generate(ids::authority(authority.name()), encode("an authority", &wish)?);
    }
    builder.generate(ids::service_account_key(), json!({"algorithm": "ecdsa-p256"}));
    builder.generate(ids::ssh_key("operator"), json!({"comment": format!("kubewright@{}", resolved.name())}));
    let operator = leaves::operator(resolved.cluster.spec.pki.certificate_validity_days);
    builder.generate(ids::operator_certificate(), leaf(resolved, Authority::Kubernetes, &operator)?);
    let cipher = match resolved.cluster.spec.encryption_at_rest.provider {
        EncryptionProvider::None => None,
        EncryptionProvider::Secretbox => Some(Cipher::Secretbox),
        EncryptionProvider::Aescbc => Some(Cipher::Aescbc),
    };
    if let Some(cipher) = cipher {
        builder.generate(ids::encryption_config(), json!({"provider": cipher, "resources": ["secrets"]}));
    }
    if let Some(logins) = registry_logins(&resolved.cluster.spec.containerd.registry_credentials) {
        builder.generate(ids::registry_logins(resolved.name()), logins);
    }
    for machine in &resolved.machines {
        builder.generate(ids::ssh_key(&machine.name), json!({"comment": machine.name}));
    }
    for machine in resolved.control_planes() {
        for certificate in control_plane(resolved, machine).leaves() {
            let id = ids::certificate(&machine.name, certificate.name);
            builder.generate(id, leaf(resolved, certificate.authority, &certificate.wish)?);
            if let Place::Kubeconfig(_) = certificate.place {
                let inputs = kubeconfig(resolved, machine, certificate.name, &certificate.wish.common_name);
                builder.generate(ids::kubeconfig(&machine.name, certificate.name), inputs);
            }
        }
    }
    Ok(())
}

/// Logins by registry; nothing where there are none.
fn registry_logins(credentials: &BTreeMap<String, RegistryCredential>) -> Option<Value> {
    let login = |credential: &RegistryCredential| json!({"username": credential.username, "passwordFile": credential.password_file});
    let logins: BTreeMap<&String, Value> =
        credentials.iter().map(|(registry, credential)| (registry, login(credential))).collect();
    (!logins.is_empty()).then(|| json!({"logins": logins}))
}

/// Names of the API server beside those that kubeadm gives it: the user's, and the machine's own. The node-local balancer
/// is asked at loopback, and so are API servers by whoever is on their machine.
pub(crate) fn further_names(resolved: &Resolved) -> Vec<String> {
    let own = ["127.0.0.1", "::1", "localhost"].into_iter().map(str::to_owned);
    let mut names = resolved.cluster.spec.api.extra_sans.clone();
    names.extend(own.filter(|name| !resolved.cluster.spec.api.extra_sans.contains(name)));
    names
}

/// What the certificates of a control plane machine depend on.
pub(crate) fn control_plane(resolved: &Resolved, machine: &Machine) -> ControlPlane {
    ControlPlane {
        node_name: machine.name.clone(),
        node_ips: vec![resolved.address(machine).into()],
        service_ips: resolved.service_addresses(),
        dns_domain: resolved.cluster.spec.networking.dns_domain.clone(),
        endpoint: resolved.cluster.spec.api.endpoint.clone(),
        extra_sans: further_names(resolved),
        kubelet_client_is_admin: resolved.release.gates().apiserver_kubelet_client_is_cluster_admin,
        validity_days: resolved.cluster.spec.pki.certificate_validity_days,
    }
}

fn leaf(resolved: &Resolved, authority: Authority, wish: &LeafWish) -> Result<Value, ModelError> {
    let authority = ids::authority(authority.name());
    let mut inputs = encode("a certificate", wish)?;
    inputs["authority"] = output(authority.clone(), "certificate").to_value();
    inputs["authorityKey"] = output(authority, "key").to_value();
    inputs["renewBeforeDays"] = resolved.cluster.spec.pki.renew_before_days.into();
    Ok(inputs)
}

/// Kubeconfigs on a control plane talk to its own API server, as kubeadm's do.
fn kubeconfig(resolved: &Resolved, machine: &Machine, name: &str, user: &str) -> Value {
    let certificate = ids::certificate(&machine.name, name);
    json!({
        "clusterName": resolved.name(),
        "userName": user,
        "server": format!("https://{}:{}", resolved.address(machine), resolved.api_port()),
        "authority": output(ids::authority("kubernetes"), "certificate"),
        "certificate": output(certificate.clone(), "certificate"),
        "key": output(certificate, "key"),
    })
}
