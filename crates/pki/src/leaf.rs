//! Leaf certificates: the wish, and issuing one under an authority.

use std::net::IpAddr;

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, SerialNumber,
};
use resource::Secret;
use serde::{Deserialize, Serialize};

use crate::validity::{Window, to_certificate};
use crate::{Certificate, PkiError, PrivateKey, SerialBytes, Signer};

/// What a certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Usage {
    /// TLS server authentication.
    Server,
    /// TLS client authentication.
    Client,
}

/// A leaf certificate that should exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafWish {
    /// The subject's common name: a user name to Kubernetes.
    pub common_name: String,
    /// The subject's organizations: groups to Kubernetes. At most one can be issued.
    #[serde(default)]
    pub organizations: Vec<String>,
    /// DNS names; their order means nothing.
    #[serde(default)]
    pub dns_names: Vec<String>,
    /// IP addresses; their order means nothing.
    #[serde(default)]
    pub ip_addresses: Vec<IpAddr>,
    /// What it may be used for.
    pub usages: Vec<Usage>,
    /// For how many days it holds.
    pub validity_days: u32,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate as PEM.
    pub certificate: String,
    /// The private key as PEM.
    pub key: Secret,
    /// The last moment at which it holds.
    pub not_after: Timestamp,
}

impl Issued {
    /// Certificate and key in one PEM text, as kubelet's `kubelet-client-current.pem` has it.
    pub fn bundle(&self) -> Secret {
        bundle(&self.certificate, &self.key)
    }
}

/// Certificate and key in one PEM text.
pub fn bundle(certificate: &str, key: &Secret) -> Secret {
    Secret::new(format!("{}\n{}", certificate.trim_end(), key.reveal()))
}

impl LeafWish {
    /// kubeadm's `CertificateValidity`: a year of 365 days.
    pub const DAYS: u32 = 365;

    /// A certificate for one year that only names a client.
    pub fn client(common_name: &str, organization: Option<&str>) -> Self {
        Self {
            common_name: common_name.to_owned(),
            organizations: organization.map(str::to_owned).into_iter().collect(),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            usages: vec![Usage::Client],
            validity_days: Self::DAYS,
        }
    }

    /// Issues the certificate with a new key. It never outlives the authority.
    pub fn issue(&self, signer: &Signer, now: Timestamp, serial: SerialBytes) -> Result<Issued, PkiError> {
        let window = Window::new(now, self.validity_days, Some(signer.certificate().not_after))?;
        self.issue_within(signer, window, serial)
    }

    pub(crate) fn issue_within(
        &self,
        signer: &Signer,
        window: Window,
        serial: SerialBytes,
    ) -> Result<Issued, PkiError> {
        let key = PrivateKey::generate()?;
        let params = self.parameters(&window, serial)?;
        let certificate = params.signed_by(key.pair(), signer.issuer()).map_err(|source| self.failed(source))?;
        // The encoder rewrites the issuer's name from its parts, which may lose some of an imported authority's name.
        if !Certificate::from_der(certificate.der().to_vec())?.is_signed_by(signer.certificate()) {
            let common_name = signer.certificate().common_name.clone();
            return Err(PkiError::NotAnAuthority { common_name, why: "its name has parts that cannot be repeated" });
        }
        Ok(Issued { certificate: certificate.pem(), key: key.pem().clone(), not_after: window.until })
    }

    fn parameters(&self, window: &Window, serial: SerialBytes) -> Result<CertificateParams, PkiError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject()?;
        params.subject_alt_names = self.alternative_names()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = self.usages.iter().map(|usage| extended(*usage)).collect();
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial_number(serial));
        params.not_before = to_certificate(window.from)?;
        params.not_after = to_certificate(window.until)?;
        Ok(params)
    }

    /// Organization before common name, as Go writes it.
    fn subject(&self) -> Result<DistinguishedName, PkiError> {
        let mut subject = DistinguishedName::new();
        match self.organizations.as_slice() {
            [] => {}
            [organization] => subject.push(DnType::OrganizationName, organization.as_str()),
            more => return Err(PkiError::Organizations(more.len())),
        }
        subject.push(DnType::CommonName, self.common_name.as_str());
        Ok(subject)
    }

    fn alternative_names(&self) -> Result<Vec<SanType>, PkiError> {
        let mut names = Vec::new();
        for name in &self.dns_names {
            names.push(SanType::DnsName(name.as_str().try_into().map_err(|source| self.failed(source))?));
        }
        names.extend(self.ip_addresses.iter().map(|address| SanType::IpAddress(*address)));
        Ok(names)
    }

    fn failed(&self, source: rcgen::Error) -> PkiError {
        PkiError::Issue { common_name: self.common_name.clone(), source }
    }
}

fn extended(usage: Usage) -> ExtendedKeyUsagePurpose {
    match usage {
        Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }
}

/// A positive serial number of exactly 16 bytes (RFC 5280 wants it positive and at most 20).
pub(crate) fn serial_number(mut bytes: SerialBytes) -> SerialNumber {
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, AuthorityWish};

    fn now() -> Timestamp {
        "2026-11-20T22:46:00Z".parse().unwrap()
    }

    fn signer() -> Signer {
        let issued = AuthorityWish::new(Authority::Kubernetes).issue(now(), [1; 16]).unwrap();
        Signer::new(&issued.certificate, &issued.key).unwrap()
    }

    #[test]
    fn a_leaf_is_what_the_wish_says() {
        let wish = LeafWish {
            dns_names: vec!["cp-1".into(), "localhost".into()],
            ip_addresses: vec!["10.77.0.51".parse().unwrap(), "::1".parse().unwrap()],
            usages: vec![Usage::Server, Usage::Client],
            ..LeafWish::client("cp-1", Some("system:nodes"))
        };
        let signer = signer();
        let issued = wish.issue(&signer, now(), [2; 16]).unwrap();
        let found = Certificate::from_pem(&issued.certificate).unwrap();
        assert!(found.is_signed_by(signer.certificate()) && !found.is_authority && !found.other_usages);
        assert_eq!(found.public_key(), PrivateKey::from_pem(&issued.key).unwrap().public_der());
        assert_eq!((found.common_name, found.organizations), (wish.common_name, wish.organizations));
        assert_eq!((found.dns_names, found.ip_addresses), (wish.dns_names, wish.ip_addresses));
        assert_eq!(found.usages, wish.usages);
        assert_eq!(found.not_before.to_string(), "2026-11-20T22:41:00Z");
        assert_eq!(found.not_after.to_string(), "2027-11-20T22:46:00Z");
    }

    #[test]
    fn a_leaf_never_outlives_its_authority() {
        let signer = signer();
        let late = signer.certificate().not_after - jiff::SignedDuration::from_hours(24);
        let issued = LeafWish::client("late", None).issue(&signer, late, [3; 16]).unwrap();
        assert_eq!(issued.not_after, signer.certificate().not_after);
    }

    #[test]
    fn every_issued_certificate_has_a_key_of_its_own() {
        let (signer, wish) = (signer(), LeafWish::client("x", None));
        let one = wish.issue(&signer, now(), [1; 16]).unwrap();
        assert_ne!(one.key, wish.issue(&signer, now(), [1; 16]).unwrap().key);
    }

    #[test]
    fn two_organizations_are_refused_and_not_silently_lost() {
        let wish = LeafWish { organizations: vec!["a".into(), "b".into()], ..LeafWish::client("x", None) };
        assert!(matches!(wish.issue(&signer(), now(), [0; 16]), Err(PkiError::Organizations(2))));
    }

    #[test]
    fn a_name_that_no_certificate_can_hold_is_an_error_that_names_it() {
        let wish = LeafWish { dns_names: vec!["bücher.example".into()], ..LeafWish::client("x", None) };
        assert_eq!(wish.issue(&signer(), now(), [0; 16]).unwrap_err().to_string(), "cannot make a certificate for `x`");
    }

    #[test]
    fn serial_numbers_are_positive_and_sixteen_bytes_long_whatever_the_random_bytes() {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            let serial = serial_number([byte; 16]).to_bytes();
            assert!(serial.len() == 16 && serial[0] & 0x80 == 0 && serial[0] != 0);
        }
    }

    #[test]
    fn a_bundle_is_the_certificate_followed_by_the_key() {
        let issued = LeafWish::client("x", None).issue(&signer(), now(), [0; 16]).unwrap();
        let bundle = issued.bundle();
        assert_eq!(Certificate::from_pem(bundle.reveal()).unwrap().common_name, "x");
        assert_eq!(
            PrivateKey::from_pem(&bundle).unwrap().public_der(),
            PrivateKey::from_pem(&issued.key).unwrap().public_der()
        );
    }
}
