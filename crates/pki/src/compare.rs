//! Whether a certificate that is there is as good as the one that is wished for, and when it must be renewed.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::validity::days_of;
use crate::{AuthorityWish, Certificate, LeafWish, PrivateKey, Usage};

/// One way in which a certificate is not what is wished for. Bytes, serial number and age don't count, so a certificate
/// that `kubeadm certs renew` has renewed is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The private key beside it is not its own.
    Key,
    /// Another authority signed it.
    Issuer {
        /// The issuer's common name.
        found: String,
    },
    /// It has another common name.
    CommonName {
        /// The one it has.
        found: String,
    },
    /// It has other organizations.
    Organizations {
        /// Those it has.
        found: Vec<String>,
    },
    /// It has other DNS names.
    DnsNames {
        /// Those it has.
        found: Vec<String>,
    },
    /// It has other addresses.
    IpAddresses {
        /// Those it has.
        found: Vec<IpAddr>,
    },
    /// It is for other uses.
    Usages {
        /// Those it has and kubewright knows.
        found: Vec<Usage>,
    },
    /// It is an authority and should not be, or the other way round.
    Kind,
    /// It holds for longer from now on than a new one would.
    TooLong {
        /// For how many whole days it was issued.
        issued_days: i64,
    },
    /// It ends within the time in which it must be renewed, or has ended.
    Expires {
        /// When it ends.
        at: Timestamp,
    },
    /// It does not hold yet.
    NotYetValid {
        /// When it begins.
        from: Timestamp,
    },
}

/// How far the clocks of two operators may be apart before one takes the other's new certificate for too long.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// In which ways `certificate` is not what `wish` asks for under `authority`; empty when it is good.
///
/// `key` is the key that lies beside it, when it can be seen. A certificate that ends with its authority is not reported
/// as expiring, because a new one would end at the same time.
pub fn compare(
    wish: &LeafWish,
    certificate: &Certificate,
    key: Option<&PrivateKey>,
    authority: &Certificate,
    now: Timestamp,
    renew_before_days: u32,
) -> Vec<Difference> {
    let mut found = compare_identity(certificate, key, &wish.common_name, false);
    if !certificate.is_signed_by(authority) {
        found.push(Difference::Issuer { found: certificate.issuer.clone() });
    }
    compare_content(wish, certificate, &mut found);
    let renewable = certificate.not_after < authority.not_after;
    compare_life(certificate, wish.validity_days, renewable, now, renew_before_days, &mut found);
    found
}

/// In which ways `certificate` is not the authority that `wish` asks for; empty when it is good.
pub fn compare_authority(
    wish: &AuthorityWish,
    certificate: &Certificate,
    key: Option<&PrivateKey>,
    now: Timestamp,
    renew_before_days: u32,
) -> Vec<Difference> {
    let mut found = compare_identity(certificate, key, &wish.common_name, true);
    compare_life(certificate, wish.validity_days, true, now, renew_before_days, &mut found);
    found
}

fn compare_identity(
    certificate: &Certificate,
    key: Option<&PrivateKey>,
    common_name: &str,
    is_authority: bool,
) -> Vec<Difference> {
    let mut found = Vec::new();
    if key.is_some_and(|key| key.public_der() != certificate.public_key()) {
        found.push(Difference::Key);
    }
    if certificate.is_authority != is_authority {
        found.push(Difference::Kind);
    }
    if certificate.common_name != common_name {
        found.push(Difference::CommonName { found: certificate.common_name.clone() });
    }
    found
}

fn compare_content(wish: &LeafWish, certificate: &Certificate, found: &mut Vec<Difference>) {
    if !same(&certificate.organizations, &wish.organizations) {
        found.push(Difference::Organizations { found: certificate.organizations.clone() });
    }
    if !same(&certificate.dns_names, &wish.dns_names) {
        found.push(Difference::DnsNames { found: certificate.dns_names.clone() });
    }
    if !same(&certificate.ip_addresses, &wish.ip_addresses) {
        found.push(Difference::IpAddresses { found: certificate.ip_addresses.clone() });
    }
    if certificate.other_usages || !same(&certificate.usages, &wish.usages) {
        found.push(Difference::Usages { found: certificate.usages.clone() });
    }
}

fn compare_life(
    certificate: &Certificate,
    validity_days: u32,
    renewable: bool,
    now: Timestamp,
    renew_before_days: u32,
    found: &mut Vec<Difference>,
) {
    let left = certificate.not_after.duration_since(now);
    if certificate.not_before > now {
        found.push(Difference::NotYetValid { from: certificate.not_before });
    }
    if left > days_of(validity_days) + CLOCK_TOLERANCE {
        found.push(Difference::TooLong { issued_days: certificate.days_issued() });
    }
    // A window as long as the whole life would renew a brand new certificate, again and again.
    let window = days_of(renew_before_days).min(days_of(validity_days) / 2);
    if left <= window && (renewable || left <= SignedDuration::ZERO) {
        found.push(Difference::Expires { at: certificate.not_after });
    }
}

fn same<T: Ord>(one: &[T], other: &[T]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, Issued, Signer};

    const RENEW: u32 = 30;

    fn start() -> Timestamp {
        "2026-11-20T22:46:00Z".parse().unwrap()
    }

    fn after(days: i64) -> Timestamp {
        start() + SignedDuration::from_hours(24 * days)
    }

    fn authority(days: u32) -> Issued {
        AuthorityWish { validity_days: days, ..AuthorityWish::new(Authority::Kubernetes) }
            .issue(start(), [1; 16])
            .unwrap()
    }

    fn signer(days: u32) -> Signer {
        let issued = authority(days);
        Signer::new(&issued.certificate, &issued.key).unwrap()
    }

    fn wish() -> LeafWish {
        LeafWish {
            dns_names: vec!["a".into(), "b".into()],
            ip_addresses: vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()],
            ..LeafWish::client("user", Some("group"))
        }
    }

    fn issue(wish: &LeafWish, signer: &Signer) -> (Certificate, PrivateKey) {
        let issued = wish.issue(signer, start(), [2; 16]).unwrap();
        (Certificate::from_pem(&issued.certificate).unwrap(), PrivateKey::from_pem(&issued.key).unwrap())
    }

    #[test]
    fn a_new_certificate_is_good_and_so_is_one_renewed_with_another_key_and_serial() {
        let signer = signer(3650);
        let (first, key) = issue(&wish(), &signer);
        assert_eq!(compare(&wish(), &first, Some(&key), signer.certificate(), start(), RENEW), []);
        let renewed = wish().issue(&signer, after(100), [9; 16]).unwrap();
        let renewed = Certificate::from_pem(&renewed.certificate).unwrap();
        assert_ne!(renewed, first);
        assert_eq!(compare(&wish(), &renewed, None, signer.certificate(), after(100), RENEW), []);
    }

    #[test]
    fn the_order_of_names_means_nothing() {
        let signer = signer(3650);
        let (certificate, _) = issue(&wish(), &signer);
        let mut turned = wish();
        turned.dns_names.reverse();
        turned.ip_addresses.reverse();
        assert_eq!(compare(&turned, &certificate, None, signer.certificate(), start(), RENEW), []);
    }

    #[test]
    fn every_part_that_differs_is_named_with_what_was_found() {
        let signer = signer(3650);
        let (certificate, _) = issue(&wish(), &signer);
        let other = LeafWish {
            common_name: "x".into(),
            organizations: Vec::new(),
            dns_names: vec!["a".into()],
            ip_addresses: vec!["10.0.0.1".parse().unwrap()],
            usages: vec![Usage::Server, Usage::Client],
            validity_days: 90,
        };
        let found = compare(&other, &certificate, None, signer.certificate(), start(), RENEW);
        let expected = [
            Difference::CommonName { found: "user".into() },
            Difference::Organizations { found: vec!["group".into()] },
            Difference::DnsNames { found: wish().dns_names },
            Difference::IpAddresses { found: wish().ip_addresses },
            Difference::Usages { found: vec![Usage::Client] },
            Difference::TooLong { issued_days: 365 },
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_authority_of_the_same_name_with_another_key_is_another_authority() {
        let (signer, other) = (signer(3650), signer(3650));
        let (certificate, _) = issue(&wish(), &signer);
        let found = compare(&wish(), &certificate, None, other.certificate(), start(), RENEW);
        assert_eq!(found, [Difference::Issuer { found: "kubernetes".into() }]);
    }

    #[test]
    fn a_foreign_key_beside_the_certificate_is_noticed() {
        let signer = signer(3650);
        let (certificate, _) = issue(&wish(), &signer);
        let foreign = PrivateKey::generate().unwrap();
        let found = compare(&wish(), &certificate, Some(&foreign), signer.certificate(), start(), RENEW);
        assert_eq!(found, [Difference::Key]);
    }

    #[test]
    fn renewal_is_due_exactly_from_renew_before_days_on() {
        let signer = signer(3650);
        let (certificate, _) = issue(&wish(), &signer);
        let at = |now| compare(&wish(), &certificate, None, signer.certificate(), now, RENEW);
        assert_eq!(at(after(335) - SignedDuration::from_secs(1)), []);
        let due = [Difference::Expires { at: certificate.not_after }];
        assert_eq!(at(after(335)), due);
        assert_eq!(at(after(400)), due);
    }

    #[test]
    fn a_renewal_window_longer_than_the_life_does_not_renew_for_ever() {
        let signer = signer(3650);
        let short = LeafWish { validity_days: 10, ..wish() };
        let (certificate, _) = issue(&short, &signer);
        let at = |now| compare(&short, &certificate, None, signer.certificate(), now, RENEW);
        assert_eq!(at(start()), []);
        assert_eq!(at(after(5)).len(), 1);
    }

    #[test]
    fn a_certificate_that_ends_with_its_authority_is_not_renewed_in_vain() {
        let signer = signer(100);
        let (certificate, _) = issue(&wish(), &signer);
        let at = |now| compare(&wish(), &certificate, None, signer.certificate(), now, RENEW);
        assert_eq!(at(after(90)), []);
        assert_eq!(at(after(101)), [Difference::Expires { at: certificate.not_after }]);
    }

    #[test]
    fn a_certificate_from_the_future_is_not_good() {
        let signer = signer(3650);
        let (certificate, _) = issue(&wish(), &signer);
        let found = compare(&wish(), &certificate, None, signer.certificate(), after(-1), RENEW);
        assert_eq!(found, [Difference::NotYetValid { from: certificate.not_before }]);
    }

    #[test]
    fn an_authority_is_good_until_its_renewal_is_due() {
        let wish = AuthorityWish::new(Authority::Kubernetes);
        let issued = authority(3650);
        let certificate = Certificate::from_pem(&issued.certificate).unwrap();
        assert_eq!(compare_authority(&wish, &certificate, None, after(3000), 365), []);
        let found = compare_authority(&wish, &certificate, None, after(3300), 365);
        assert_eq!(found, [Difference::Expires { at: certificate.not_after }]);
    }

    #[test]
    fn a_leaf_is_no_authority_and_an_authority_no_leaf() {
        let signer = signer(3650);
        let (leaf, _) = issue(&LeafWish::client("kubernetes", None), &signer);
        let found = compare_authority(&AuthorityWish::new(Authority::Kubernetes), &leaf, None, start(), 30);
        assert_eq!(found, [Difference::Kind]);
        let found = compare(
            &LeafWish::client("kubernetes", None),
            signer.certificate(),
            None,
            signer.certificate(),
            start(),
            30,
        );
        assert!(found.contains(&Difference::Kind));
    }
}
