//! A plan that only takes resources out of the record.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Recorded, ResourceId};

use crate::{Base, Change, Operation, Plan, Reason};

impl Plan {
    /// Forgets `wanted`, and what is contained in them, without touching anything that is there.
    pub fn forgetting(base: Base, recorded: &BTreeMap<ResourceId, Recorded>, wanted: &BTreeSet<ResourceId>) -> Self {
        let mut reasons: BTreeMap<&ResourceId, Reason> =
            recorded.keys().filter(|id| wanted.contains(*id)).map(|id| (id, Reason::Asked)).collect();
        // What is contained may contain something itself.
        loop {
            let contained: Vec<(&ResourceId, &ResourceId)> = recorded
                .iter()
                .filter(|(id, _)| !reasons.contains_key(id))
                .filter_map(|(id, recorded)| Some((id, recorded.contained_in.as_ref()?)))
                .filter(|(_, parent)| reasons.contains_key(parent))
                .collect();
            if contained.is_empty() {
                break;
            }
            for (id, parent) in contained {
                reasons.insert(id, Reason::ContainedIn { parent: parent.clone() });
            }
        }
        let changes = reasons.into_iter().map(|(id, reason)| Change::new(id, Operation::Forget, reason)).collect();
        Self { changes, ..Self::empty(base) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    fn recorded(contained_in: Option<&str>) -> Recorded {
        Recorded { contained_in: contained_in.map(id), ..Recorded::of_inputs(1, Value::Null) }
    }

    #[test]
    fn what_is_contained_is_forgotten_too_and_nothing_else() {
        let all = BTreeMap::from([
            (id("machine/a"), recorded(None)),
            (id("config/a"), recorded(Some("machine/a"))),
            (id("bootstrap/a"), recorded(Some("config/a"))),
            (id("machine/b"), recorded(None)),
        ]);
        let plan = Plan::forgetting(Base::of_nothing("demo"), &all, &BTreeSet::from([id("machine/a")]));
        let ids: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(ids, ["forget bootstrap/a", "forget config/a", "forget machine/a"]);
        assert_eq!(plan.changes[2].reason, Reason::Asked);
    }
}
