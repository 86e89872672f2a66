//! A plan that only takes resources into the record.

use resource::{Desired, Digest};

use crate::{Base, Change, Operation, Plan, Reason};

impl Plan {
    /// Records `found` as they were seen, without touching them.
    pub fn adopting<'a>(base: Base, found: impl IntoIterator<Item = &'a Desired>) -> Self {
        let change = |found: &Desired| Change {
            expect: Some(Digest::of_json(&found.inputs)),
            after: Some(found.inputs.clone()),
            ..Change::new(&found.id, Operation::Adopt, Reason::FoundUnrecorded)
        };
        Self { changes: found.into_iter().map(change).collect(), ..Self::empty(base) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_adopted_is_recorded_as_it_was_seen() {
        let found = Desired::new("machine/demo/a".parse().unwrap(), json!({"hostname": "a"}));
        let plan = Plan::adopting(Base::of_nothing("demo"), [&found]);
        assert_eq!(plan.changes[0].id.as_str(), "adopt machine/demo/a");
        assert_eq!(plan.changes[0].expect, Some(Digest::of_json(&found.inputs)));
        assert_eq!((plan.changes[0].before.as_ref(), plan.changes[0].after.as_ref()), (None, Some(&found.inputs)));
    }
}
