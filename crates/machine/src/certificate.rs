//! Whether certificates that somebody renewed on a machine are as good as ours: pure, without cryptography.
//!
//! Compared is what others see: issuer and its key, subject, names, uses, and how long they hold. Who signed is told by the
//! identifier of the issuer's key; whoever may write below `/etc/kubernetes` needs no forged signature.

mod der;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use der::{Certificate, Element};

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const CERTIFICATE_DATA: &str = "client-certificate-data:";
const KEY_DATA: &str = "client-key-data:";
/// A day: how far the clocks of whoever renews may be apart.
const TOLERANCE: i64 = 24 * 60 * 60;

/// Whether `found` is `wanted`, renewed: both are single certificates that differ in their key, serial number and time only, and
/// the found one ends no sooner than the wanted one and was not issued for longer.
pub fn is_renewed(wanted: &[u8], found: &[u8]) -> bool {
    let (Some(wanted), Some(found)) = (pem(wanted, CERTIFICATE), pem(found, CERTIFICATE)) else { return false };
    let (Some(wanted), Some(found)) = (Certificate::parse(&wanted), Certificate::parse(&found)) else { return false };
    let is_leaf = wanted.issuer != wanted.subject;
    let names_its_signer = wanted.authority_key.is_some();
    let same = wanted.issuer == found.issuer
        && wanted.authority_key == found.authority_key
        && wanted.subject == found.subject
        && wanted.names == found.names
        && wanted.uses == found.uses
        && wanted.is_authority == found.is_authority;
    let lives = found.ends >= wanted.ends && found.ends - found.begins <= wanted.ends - wanted.begins + TOLERANCE;
    is_leaf && names_its_signer && same && lives
}

/// From when to when the first certificate in a text holds, in seconds since 1970; nothing where there is none. Kubelet keeps its
/// certificates in one file with their keys.
pub fn validity(text: &[u8]) -> Option<(i64, i64)> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(text).ok()?;
    let text = text.get(text.find("-----BEGIN CERTIFICATE-----")?..)?;
    let first = text.get(..text.find(END)? + END.len())?;
    let first = pem(first.as_bytes(), CERTIFICATE)?;
    Certificate::parse(&first).map(|certificate| (certificate.begins, certificate.ends))
}

/// Whether a private key is that of a certificate. Both formats of keys that are in use hold the public part as well.
pub fn is_key_of(key: &[u8], certificate: &[u8]) -> bool {
    let (Some(key), Some(certificate)) = (pem(key, PRIVATE_KEY), pem(certificate, CERTIFICATE)) else { return false };
    let Some(public) = Certificate::parse(&certificate).and_then(|certificate| public_part(certificate.public_key))
    else {
        return false;
    };
    key.windows(public.len()).any(|part| part == public)
}

/// Whether `found` is the kubeconfig `wanted` with its certificate renewed, whatever the order of its lines.
pub fn is_renewed_kubeconfig(wanted: &[u8], found: &[u8]) -> bool {
    let (Some(wanted), Some(found)) = (Kubeconfig::parse(wanted), Kubeconfig::parse(found)) else { return false };
    wanted.others == found.others
        && is_renewed(&wanted.certificate, &found.certificate)
        && is_key_of(&found.key, &found.certificate)
}

struct Kubeconfig<'a> {
    certificate: Vec<u8>,
    key: Vec<u8>,
    others: BTreeSet<&'a str>,
}

impl<'a> Kubeconfig<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let lines = || text.lines().map(|line| line.trim_start_matches([' ', '-']).trim_end());
        let data = |name: &str| {
            let mut found = lines().filter_map(|line| line.strip_prefix(name));
            let first = STANDARD.decode(found.next()?.trim()).ok()?;
            found.next().is_none().then_some(first)
        };
        let is_other = |line: &&str| {
            !["", "preferences: {}"].contains(line)
                && ![CERTIFICATE_DATA, KEY_DATA].iter().any(|name| line.starts_with(name))
        };
        Some(Self {
            certificate: data(CERTIFICATE_DATA)?,
            key: data(KEY_DATA)?,
            others: lines().filter(is_other).collect(),
        })
    }
}

/// The bytes of the only block whose label ends so; nothing where there are more or none.
fn pem(text: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let begin = text.find("-----BEGIN ")?;
    let (head, rest) = text.get(begin..)?.split_once('\n')?;
    let is_wanted = head.trim_end().strip_suffix("-----")?.ends_with(label);
    let (body, after) = rest.split_once("-----END ")?;
    let body: String = body.split_whitespace().collect();
    (is_wanted && !after.contains("-----BEGIN ")).then(|| STANDARD.decode(body).ok())?
}

/// What a private key repeats of its public one: the point of an elliptic curve, or the modulus of RSA.
fn public_part(key: Element<'_>) -> Option<&[u8]> {
    let mut parts = key.children();
    let _algorithm = parts.next()?;
    // The first byte of a bit string counts unused bits.
    let (_, bits) = parts.next()?.content.split_first()?;
    match Element::first(bits) {
        Some(pair) if pair.tag == der::SEQUENCE && pair.whole.len() == bits.len() => {
            Some(pair.children().next()?.content)
        }
        _ => (bits.len() >= 32).then_some(bits),
    }
}
