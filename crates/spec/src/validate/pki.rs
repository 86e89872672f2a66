//! Rule: certificates are renewed before they end, and end before their authority.

use super::{Finding, World};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let pki = &cluster.value.spec.pki;
    let mut findings = Vec::new();
    if pki.renew_before_days >= pki.certificate_validity_days {
        let message =
            "certificates would be renewed by every update: `renewBeforeDays` is not less than their validity";
        findings.push(
            Finding::error("spec::certificate-validity", message)
                .and(cluster, "spec.pki.renewBeforeDays", "renewed from then")
                .and(cluster, "spec.pki.certificateValidityDays", "valid so long"),
        );
    }
    if pki.certificate_validity_days > pki.ca_validity_days {
        let message = "certificates would outlive their authority";
        findings.push(
            Finding::error("spec::certificate-validity", message)
                .and(cluster, "spec.pki.certificateValidityDays", "certificates")
                .and(cluster, "spec.pki.caValidityDays", "their authority"),
        );
    }
    findings
}
