//! A plan that only gives a record another id.

use resource::{Digest, Recorded, ResourceId};

use crate::{Base, Change, Operation, Plan, Reason};

impl Plan {
    /// Records what is recorded of `from` as `to`, secrets included, and forgets `from` after that. What is there is not
    /// touched, so this is for kinds whose things are kept in the record.
    pub fn moving(base: Base, recorded: &Recorded, from: &ResourceId, to: &ResourceId) -> Self {
        let kept = Change {
            expect: Some(Digest::of_json(&recorded.inputs)),
            after: Some(recorded.inputs.clone()),
            ..Change::new(to, Operation::Adopt, Reason::MovedFrom { from: from.clone() })
        };
        let forgotten = Change {
            depends_on: [kept.id.clone()].into(),
            ..Change::new(from, Operation::Forget, Reason::MovedTo { to: to.clone() })
        };
        Self { changes: vec![kept, forgotten], ..Self::empty(base) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_forgotten_before_it_is_kept_under_its_new_name() {
        let recorded = Recorded::of_inputs(1, json!({"comment": "x"}));
        let [from, to] = ["ssh-key/a", "ssh-key/b"].map(|id| id.parse().unwrap());
        let plan = Plan::moving(Base::of_nothing("demo"), &recorded, &from, &to);
        let ids: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(ids, ["adopt ssh-key/b", "forget ssh-key/a"]);
        assert_eq!(plan.changes[0].after, Some(recorded.inputs));
        assert!(plan.changes[1].depends_on.contains(&plan.changes[0].id));
    }
}
