//! Certificate authorities: the wish, making one, renewing one with the same key, signing with one.

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyUsagePurpose, SanType};
use resource::Secret;
use serde::{Deserialize, Serialize};

use crate::leaf::{Issued, serial_number};
use crate::validity::{Window, to_certificate};
use crate::{Certificate, PkiError, PrivateKey, SerialBytes};

/// The three authorities of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authority {
    /// Signs the API server, its clients and kubelets.
    Kubernetes,
    /// Signs etcd's servers, peers and clients.
    Etcd,
    /// Signs the API server's client for extension API servers.
    FrontProxy,
}

impl Authority {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::Etcd, Self::FrontProxy];

    /// The name in resource ids, as in `authority/etcd`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Etcd => "etcd",
            Self::FrontProxy => "front-proxy",
        }
    }

    /// The common name that kubeadm gives it.
    pub fn common_name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Etcd => "etcd-ca",
            Self::FrontProxy => "front-proxy-ca",
        }
    }

    /// Its file below `/etc/kubernetes/pki`, without `.crt` or `.key`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Kubernetes => "ca",
            Self::Etcd => "etcd/ca",
            Self::FrontProxy => "front-proxy-ca",
        }
    }
}

/// An authority that should exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorityWish {
    /// The subject's common name; also its only DNS name, as kubeadm has it.
    pub common_name: String,
    /// For how many days it holds.
    pub validity_days: u32,
}

impl AuthorityWish {
    /// kubeadm's `CertificateAuthorityCertificateValidity`: ten years of 365 days.
    pub const DAYS: u32 = 3650;

    /// The wish for one of the cluster's authorities.
    pub fn new(authority: Authority) -> Self {
        Self { common_name: authority.common_name().to_owned(), validity_days: Self::DAYS }
    }

    /// Makes the authority with a new key.
    pub fn issue(&self, now: Timestamp, serial: SerialBytes) -> Result<Issued, PkiError> {
        self.renew(&PrivateKey::generate()?, now, serial)
    }

    /// Makes a new certificate for an authority whose key stays; what it signed before remains valid.
    pub fn renew(&self, key: &PrivateKey, now: Timestamp, serial: SerialBytes) -> Result<Issued, PkiError> {
        let window = Window::new(now, self.validity_days, None)?;
        let params = self.parameters(&window, serial)?;
        let certificate = params.self_signed(key.pair()).map_err(|source| self.failed(source))?;
        Ok(Issued { certificate: certificate.pem(), key: key.pem().clone(), not_after: window.until })
    }

    fn parameters(&self, window: &Window, serial: SerialBytes) -> Result<CertificateParams, PkiError> {
        let mut params = CertificateParams::default();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, self.common_name.as_str());
        let name = self.common_name.as_str().try_into().map_err(|source| self.failed(source))?;
        params.distinguished_name = subject;
        params.subject_alt_names = vec![SanType::DnsName(name)];
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::KeyCertSign];
        params.serial_number = Some(serial_number(serial));
        params.not_before = to_certificate(window.from)?;
        params.not_after = to_certificate(window.until)?;
        Ok(params)
    }

    fn failed(&self, source: rcgen::Error) -> PkiError {
        PkiError::Issue { common_name: self.common_name.clone(), source }
    }
}

/// An authority that can sign: its certificate and the key that belongs to it.
pub struct Signer {
    certificate: Certificate,
    issuer: Issuer<'static, rcgen::KeyPair>,
}

impl Signer {
    /// Reads an authority; refuses a key that is not its own and a certificate that may not sign.
    pub fn new(certificate: &str, key: &Secret) -> Result<Self, PkiError> {
        let parsed = Certificate::from_pem(certificate)?;
        let key = PrivateKey::from_pem(key)?;
        let refuse = |why| PkiError::NotAnAuthority { common_name: parsed.common_name.clone(), why };
        if !parsed.is_authority {
            return Err(refuse("it is not marked as an authority"));
        }
        if parsed.public_key() != key.public_der() {
            return Err(refuse("the private key is not its own"));
        }
        let issuer = Issuer::from_ca_cert_der(&parsed.der().into(), key.into_pair())
            .map_err(|source| PkiError::Issue { common_name: parsed.common_name.clone(), source })?;
        Ok(Self { certificate: parsed, issuer })
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, rcgen::KeyPair> {
        &self.issuer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T22:46:00Z".parse().unwrap()
    }

    #[test]
    fn authorities_are_those_of_the_reference() {
        for (authority, name) in Authority::ALL.into_iter().zip(["kubernetes", "etcd-ca", "front-proxy-ca"]) {
            let issued = AuthorityWish::new(authority).issue(now(), [7; 16]).unwrap();
            let certificate = Certificate::from_pem(&issued.certificate).unwrap();
            assert_eq!((certificate.common_name.as_str(), certificate.issuer.as_str()), (name, name));
            assert_eq!(certificate.dns_names, [name]);
            assert!(certificate.is_authority && certificate.is_signed_by(&certificate));
            assert!(certificate.usages.is_empty() && certificate.organizations.is_empty());
            assert_eq!(certificate.not_before.to_string(), "2026-11-20T22:41:00Z");
            assert_eq!(certificate.not_after.to_string(), "2036-11-17T22:46:00Z");
            assert_eq!(issued.not_after, certificate.not_after);
        }
    }

    #[test]
    fn a_renewed_authority_keeps_its_key_and_name() {
        let wish = AuthorityWish::new(Authority::Kubernetes);
        let old = wish.issue(now(), [1; 16]).unwrap();
        let later = now() + jiff::SignedDuration::from_hours(24 * 3000);
        let new = wish.renew(&PrivateKey::from_pem(&old.key).unwrap(), later, [2; 16]).unwrap();
        let (old, new) =
            (Certificate::from_pem(&old.certificate).unwrap(), Certificate::from_pem(&new.certificate).unwrap());
        assert_eq!(old.public_key_hash(), new.public_key_hash());
        assert!(new.is_signed_by(&old) && old.is_signed_by(&new));
        assert!(new.not_after > old.not_after);
    }

    #[test]
    fn a_foreign_key_cannot_sign_for_an_authority() {
        let issued = AuthorityWish::new(Authority::Etcd).issue(now(), [1; 16]).unwrap();
        let other = PrivateKey::generate().unwrap();
        let error = Signer::new(&issued.certificate, other.pem()).err().unwrap();
        assert_eq!(error.to_string(), "`etcd-ca` cannot sign: the private key is not its own");
    }
}
