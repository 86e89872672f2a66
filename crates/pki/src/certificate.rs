//! A certificate as it was read: the facts that decisions rest on.

use std::net::IpAddr;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};

use crate::{PkiError, Usage};

/// A certificate as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    public_key: Vec<u8>,
    /// The subject's common name; empty where there is none.
    pub common_name: String,
    /// The subject's organizations, in order.
    pub organizations: Vec<String>,
    /// The issuer's common name; empty where there is none.
    pub issuer: String,
    /// DNS names, in order.
    pub dns_names: Vec<String>,
    /// IP addresses, in order.
    pub ip_addresses: Vec<IpAddr>,
    /// Extended key usages that kubewright knows.
    pub usages: Vec<Usage>,
    /// Whether it has extended key usages that kubewright never asks for.
    pub other_usages: bool,
    /// Whether it is marked as an authority.
    pub is_authority: bool,
    /// The first moment at which it holds.
    pub not_before: Timestamp,
    /// The last moment at which it holds.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        for block in x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|error| unreadable(&error))?;
            if block.label == "CERTIFICATE" {
                return Self::from_der(block.contents);
            }
        }
        Err(PkiError::Certificate { why: "no CERTIFICATE block".to_owned() })
    }

    /// Reads a DER-encoded certificate.
    pub fn from_der(der: Vec<u8>) -> Result<Self, PkiError> {
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|error| unreadable(&error))?;
        let (dns_names, ip_addresses) = alternative_names(&parsed);
        let (usages, other_usages) = usages(&parsed);
        let texts = |values: Vec<&x509_parser::x509::AttributeTypeAndValue<'_>>| -> Vec<String> {
            values.iter().filter_map(|value| value.as_str().ok()).map(str::to_owned).collect()
        };
        let first = |values: Vec<String>| values.into_iter().next().unwrap_or_default();
        Ok(Self {
            public_key: parsed.public_key().raw.to_vec(),
            common_name: first(texts(parsed.subject().iter_common_name().collect())),
            organizations: texts(parsed.subject().iter_organization().collect()),
            issuer: first(texts(parsed.issuer().iter_common_name().collect())),
            dns_names,
            ip_addresses,
            usages,
            other_usages,
            is_authority: parsed.is_ca(),
            not_before: timestamp(parsed.validity().not_before)?,
            not_after: timestamp(parsed.validity().not_after)?,
            der,
        })
    }

    /// The certificate as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The public key as DER-encoded SubjectPublicKeyInfo.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// SHA-256 of the whole certificate, lower-case hex.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(&self.der))
    }

    /// `sha256:` and the hex digest of the public key, as `kubeadm join --discovery-token-ca-cert-hash` wants it.
    pub fn public_key_hash(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(&self.public_key)))
    }

    /// Whether `authority` signed it: its name is the issuer and its key made the signature.
    pub fn is_signed_by(&self, authority: &Self) -> bool {
        let (Ok((_, own)), Ok((_, issuer))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&authority.der))
        else {
            return false;
        };
        own.issuer().as_raw() == issuer.subject().as_raw() && own.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// For how many whole days it still holds at `now`; negative when it has expired.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.duration_since(now).as_secs().div_euclid(24 * 60 * 60)
    }

    /// For how many whole days it was issued.
    pub fn days_issued(&self) -> i64 {
        self.not_after.duration_since(self.not_before).as_secs().div_euclid(24 * 60 * 60)
    }
}

fn unreadable(error: &dyn std::error::Error) -> PkiError {
    PkiError::Certificate { why: error.to_string() }
}

fn timestamp(at: x509_parser::time::ASN1Time) -> Result<Timestamp, PkiError> {
    Timestamp::from_second(at.timestamp()).map_err(|error| unreadable(&error))
}

fn alternative_names(parsed: &X509Certificate<'_>) -> (Vec<String>, Vec<IpAddr>) {
    let (mut dns, mut ips) = (Vec::new(), Vec::new());
    for extension in parsed.extensions() {
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else { continue };
        for name in &names.general_names {
            match name {
                GeneralName::DNSName(name) => dns.push((*name).to_owned()),
                GeneralName::IPAddress(octets) => ips.extend(ip_address(octets)),
                _ => {}
            }
        }
    }
    (dns, ips)
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

fn usages(parsed: &X509Certificate<'_>) -> (Vec<Usage>, bool) {
    let mut known = Vec::new();
    let mut others = false;
    for extension in parsed.extensions() {
        let ParsedExtension::ExtendedKeyUsage(usage) = extension.parsed_extension() else { continue };
        known.extend(usage.server_auth.then_some(Usage::Server));
        known.extend(usage.client_auth.then_some(Usage::Client));
        others |= usage.any
            || usage.code_signing
            || usage.email_protection
            || usage.time_stamping
            || usage.ocsp_signing
            || !usage.other.is_empty();
    }
    (known, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_refused() {
        let error = Certificate::from_pem("hello").unwrap_err();
        assert_eq!(error.to_string(), "cannot read certificate: no CERTIFICATE block");
    }

    #[test]
    fn bytes_that_are_no_certificate_are_refused() {
        assert!(matches!(Certificate::from_der(vec![1, 2, 3]), Err(PkiError::Certificate { .. })));
    }
}
