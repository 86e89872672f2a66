//! Certificates that kubelets got from the cluster and should have renewed by themselves, as their machines tell.

use futures::future::join_all;
use jiff::Timestamp;
use machine::KubeletCertificate;
use objects::validate::Finding;

use super::certificates::{DAY, SOON, problem};
use crate::open::Open;
use crate::reach;

/// Kubelet renews a certificate when it has lived for 70 to 90 % of its time (`client-go/util/certificate`): in the last tenth it
/// could not.
const LAST_PART: i64 = 10;

/// Certificates of kubelets that end soon or have ended. A machine that cannot be asked is told of as a node.
pub(super) async fn findings(open: &Open, now: Timestamp) -> Vec<Finding> {
    let asked = open.resolved.machines.iter().map(|machine| async {
        let target = reach::target(&open.cluster, &open.resolved, machine).ok()?;
        let facts = open.composition.hosts.facts(&target).await.ok()?;
        Some(
            facts
                .kubelet_certificates
                .iter()
                .filter_map(|found| finding(&machine.name, found, now))
                .collect::<Vec<_>>(),
        )
    });
    join_all(asked).await.into_iter().flatten().flatten().collect()
}

fn finding(node: &str, found: &KubeletCertificate, now: Timestamp) -> Option<Finding> {
    let end = Timestamp::from_second(found.ends).ok()?;
    let soon = (SOON * DAY).min((found.ends - found.begins) / LAST_PART);
    if end.duration_since(now).as_secs() >= soon {
        return None;
    }
    let hint = "kubelet renews it by itself; `journalctl -u kubelet` on the machine says why it has not";
    Some(Finding {
        subject: format!("node/{node}"),
        problem: format!("its kubelet's {} certificate {}", found.purpose, problem(end, now)),
        hint: Some(hint.to_owned()),
        fails: end <= now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a certificate that holds for so many days, of which so many are left.
    fn told(days: i64, left: i64) -> Option<(String, bool)> {
        let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let ends = now.as_second() + left * DAY;
        let found = KubeletCertificate { purpose: "client".into(), begins: ends - days * DAY, ends };
        finding("w-1", &found, now).map(|found| (format!("{} {}", found.subject, found.problem), found.fails))
    }

    #[test]
    fn a_certificate_that_its_kubelet_did_not_renew_is_told_of() {
        assert_eq!(told(365, 30), None);
        let problem = "node/w-1 its kubelet's client certificate expires in 12 days, on 2026-11-13".to_owned();
        assert_eq!(told(365, 12), Some((problem, false)));
    }

    #[test]
    fn one_that_has_ended_fails() {
        let problem = "node/w-1 its kubelet's client certificate expired on 2026-10-31".to_owned();
        assert_eq!(told(365, -1), Some((problem, true)));
    }

    #[test]
    fn of_one_that_was_issued_for_a_short_time_only_the_last_tenth_is_told() {
        assert_eq!(told(20, 5), None, "it is not to be renewed yet");
        assert!(told(20, 1).is_some());
    }
}
