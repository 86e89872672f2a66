//! Recorded certificates that end soon or have ended, with what renews them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use objects::validate::Finding;
use report::words;
use resource::{Recorded, ResourceId};
use serde_json::Value;

/// How many days before their end certificates are told of.
pub(super) const SOON: i64 = 30;
pub(super) const DAY: i64 = 24 * 60 * 60;

/// Everything recorded with an end that is near: certificates of control planes, of kubeconfigs, and authorities. One is told
/// of only when an update renews it.
pub(super) fn findings(recorded: &BTreeMap<ResourceId, Recorded>, cluster: &str, now: Timestamp) -> Vec<Finding> {
    recorded.iter().filter_map(|(id, recorded)| finding(id, recorded, cluster, now)).collect()
}

fn finding(id: &ResourceId, recorded: &Recorded, cluster: &str, now: Timestamp) -> Option<Finding> {
    let end: Timestamp = recorded.outputs.get("notAfter")?.as_str()?.parse().ok()?;
    let left = end.duration_since(now).as_secs().div_euclid(DAY);
    if left >= soon(&recorded.inputs) {
        return None;
    }
    let hint = format!("`kubewright update cluster {cluster} --yes` renews it");
    Some(Finding { subject: id.to_string(), problem: problem(end, now), hint: Some(hint), fails: end <= now })
}

/// When something ends, or that it has ended.
pub(super) fn problem(end: Timestamp, now: Timestamp) -> String {
    let date = end.strftime("%Y-%m-%d");
    if end <= now {
        return format!("expired on {date}");
    }
    let left = end.duration_since(now).as_secs().div_euclid(DAY);
    format!("expires in {}, on {date}", words::count(usize::try_from(left).unwrap_or_default(), "day"))
}

/// How many days before its end one is told of: not before an update would renew it.
fn soon(inputs: &Value) -> i64 {
    let days = |field: &str| inputs.get(field).and_then(Value::as_i64);
    let renewed = days("renewBeforeDays").map_or(SOON, |before| match days("validityDays") {
        Some(validity) => before.min(validity / 2),
        None => before,
    });
    renewed.min(SOON)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(inputs: Value, end: &str) -> Vec<(String, bool)> {
        let recorded = Recorded {
            outputs: BTreeMap::from([("notAfter".to_owned(), json!(end))]),
            ..Recorded::of_inputs(1, inputs)
        };
        let id: ResourceId = "certificate/cp-1/apiserver".parse().unwrap();
        let now = "2026-11-01T12:00:00Z".parse().unwrap();
        let found = findings(&BTreeMap::from([(id, recorded)]), "demo", now);
        assert!(
            found.iter().all(|found| found.hint.as_ref().unwrap().contains("kubewright update cluster demo --yes"))
        );
        found.into_iter().map(|found| (format!("{} {}", found.subject, found.problem), found.fails)).collect()
    }

    fn inputs() -> Value {
        json!({"validityDays": 365, "renewBeforeDays": 90})
    }

    #[test]
    fn days_left_are_told_in_the_last_month_and_fail_nothing() {
        assert_eq!(said(inputs(), "2026-12-01T12:00:00Z"), []);
        assert_eq!(
            said(inputs(), "2026-11-13T13:00:00Z"),
            [("certificate/cp-1/apiserver expires in 12 days, on 2026-11-13".to_owned(), false)]
        );
        assert_eq!(
            said(inputs(), "2026-11-01T13:00:00Z"),
            [("certificate/cp-1/apiserver expires in 0 days, on 2026-11-01".to_owned(), false)]
        );
    }

    #[test]
    fn what_has_ended_fails() {
        let expired = ("certificate/cp-1/apiserver expired on 2026-11-01".to_owned(), true);
        assert_eq!(said(inputs(), "2026-11-01T12:00:00Z"), [expired]);
    }

    #[test]
    fn nobody_is_told_of_what_an_update_would_not_renew_yet() {
        let short = || json!({"validityDays": 20, "renewBeforeDays": 90});
        assert_eq!(said(short(), "2026-11-19T12:00:00Z"), []);
        assert_eq!(said(short(), "2026-11-10T12:00:00Z").len(), 1);
        assert_eq!(said(json!({"renewBeforeDays": 5, "validityDays": 365}), "2026-11-10T12:00:00Z"), []);
    }

    #[test]
    fn authorities_say_no_window_and_are_told_of_too() {
        assert_eq!(said(json!({"validityDays": 3650}), "2026-11-10T12:00:00Z").len(), 1);
    }
}
