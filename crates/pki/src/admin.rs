//! Short-lived certificates for people who administer a cluster.

use jiff::{SignedDuration, Timestamp};
use resource::Secret;

use crate::leaves::{ADMIN_USER, ADMINS_GROUP};
use crate::validity::{BACKDATE, Window};
use crate::{Issued, LeafWish, PkiError, SerialBytes, Signer};

/// Makes a client certificate of user `kubernetes-admin` in group `kubeadm:cluster-admins` that holds for `lifetime`, for
/// `export kubeconfig`. It is not kept anywhere.
pub fn mint_admin(
    authority: &str,
    authority_key: &Secret,
    lifetime: SignedDuration,
    now: Timestamp,
    serial: SerialBytes,
) -> Result<Issued, PkiError> {
    let signer = Signer::new(authority, authority_key)?;
    let until = now.checked_add(lifetime).map_err(|_| PkiError::Time(now))?;
    let from = now.checked_sub(BACKDATE).map_err(|_| PkiError::Time(now))?;
    let window = Window::between(from, until.min(signer.certificate().not_after))?;
    LeafWish::client(ADMIN_USER, Some(ADMINS_GROUP)).issue_within(&signer, window, serial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, AuthorityWish, Certificate, Usage};

    #[test]
    fn a_minted_administrator_holds_for_its_lifetime_only() {
        let now: Timestamp = "2026-11-20T22:46:00Z".parse().unwrap();
        let ca = AuthorityWish::new(Authority::Kubernetes).issue(now, [1; 16]).unwrap();
        let minted = mint_admin(&ca.certificate, &ca.key, SignedDuration::from_hours(18), now, [2; 16]).unwrap();
        let found = Certificate::from_pem(&minted.certificate).unwrap();
        assert_eq!(found.common_name, "kubernetes-admin");
        assert_eq!(
            (found.organizations.as_slice(), found.usages.as_slice()),
            (&[ADMINS_GROUP.to_owned()][..], &[Usage::Client][..])
        );
        assert_eq!(found.not_after.to_string(), "2026-11-21T16:46:00Z");
    }
}
