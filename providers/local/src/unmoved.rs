//! Whether what is found now still is what a change was planned for.

use plan::{Change, Operation};
use resource::{Digest, Observation};
use serde_json::json;

/// Whether a planned change may be carried out on what is found just before it.
///
/// A program that was killed may have asked for what happens only now: a machine ends a moment after its supervisor was
/// killed. What the change asks for may therefore have come about by itself: something is gone, or has ended, that is to be
/// deleted, or is already as it should be.
fn fits(change: &Change, found: &Observation) -> bool {
    let deletes = change.operation == Operation::Delete;
    match found {
        Observation::Absent => deletes,
        Observation::Present { attributes, .. } => {
            let as_planned = change.expect.as_ref().is_none_or(|expected| Digest::of_json(attributes) == *expected);
            let has_ended = attributes.get("running") == Some(&json!(false));
            as_planned || (deletes && has_ended) || change.after.as_ref() == Some(attributes)
        }
        Observation::Orphan { .. } | Observation::Foreign { .. } | Observation::Unknown { .. } => false,
    }
}

/// Why a planned change may not be carried out, going by several looks of which one is enough; `None` where it may be.
pub(crate) fn refusal(change: &Change, looks: &[Observation]) -> Option<String> {
    if looks.iter().any(|found| fits(change, found)) {
        return None;
    }
    let unseen = looks.iter().find_map(|found| match found {
        Observation::Unknown { why } => Some(why),
        _ => None,
    });
    Some(match unseen {
        Some(why) => format!("{} cannot be seen any more as it was when the plan was made: {why}", change.resource),
        None => format!("{} was changed since the plan was made", change.resource),
    })
}

#[cfg(test)]
mod tests {
    use plan::Reason;
    use resource::ResourceId;
    use serde_json::Value;

    use super::*;

    fn change(operation: Operation, seen: &Value) -> Change {
        let id = ResourceId::new("machine", "dev/worker-1");
        Change { expect: Some(Digest::of_json(seen)), ..Change::new(&id, operation, Reason::SpecChanged) }
    }

    #[test]
    fn what_is_as_it_was_planned_fits() {
        let seen = json!({"address": "10.88.0.11"});
        for operation in [Operation::Update, Operation::Delete] {
            assert!(fits(&change(operation, &seen), &Observation::present(seen.clone())));
            assert!(!fits(&change(operation, &seen), &Observation::present(json!({"address": "10.88.0.12"}))));
            assert!(!fits(&change(operation, &seen), &Observation::unknown("somebody else's")));
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused_with_the_reason() {
        let seen = json!({"address": "10.88.0.11"});
        let planned = change(Operation::Update, &seen);
        let why = refusal(&planned, &[Observation::unknown("`ip` is not installed"), Observation::Absent]).unwrap();
        assert!(why.contains("`ip` is not installed"), "{why}");
        let why = refusal(&planned, &[Observation::Absent]).unwrap();
        assert!(why.ends_with("was changed since the plan was made"), "{why}");
        assert_eq!(refusal(&planned, &[Observation::unknown("no"), Observation::present(seen)]), None);
    }

    #[test]
    fn a_machine_that_ends_after_its_killer_was_killed_is_deleted() {
        let running = json!({"address": "10.88.0.11", "memory": 1});
        let ended = Observation::present(json!({"address": "10.88.0.11", "memory": 2, "running": false}));
        assert!(fits(&change(Operation::Delete, &running), &ended));
        assert!(fits(&change(Operation::Delete, &running), &Observation::Absent));
        assert!(!fits(&change(Operation::Update, &running), &ended));
        assert!(!fits(&change(Operation::Update, &running), &Observation::Absent));
    }

    #[test]
    fn a_machine_that_was_started_since_is_not_deleted() {
        let ended = json!({"address": "10.88.0.11", "running": false});
        let running = Observation::present(json!({"address": "10.88.0.11"}));
        assert!(!fits(&change(Operation::Delete, &ended), &running));
    }

    #[test]
    fn what_is_already_as_it_should_be_fits() {
        let off = json!({"address": "10.88.0.11", "running": false});
        let planned = change(Operation::Update, &json!({"address": "10.88.0.11", "running": true}));
        assert!(fits(&Change { after: Some(off.clone()), ..planned }, &Observation::present(off)));
    }
}
