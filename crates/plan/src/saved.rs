//! Plans in files, and what has moved since a plan was made.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use crate::{ActionId, Base, Change, Plan};

/// Why a text is not a plan that can be carried out.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlanFileError {
    /// It is something else, or only a part of a plan.
    #[error("it is not a plan: {0}")]
    NotAPlan(String),
    /// It was written by another kubewright.
    #[error("it has format {found}, but this kubewright knows only {}", Plan::FORMAT)]
    OtherFormat {
        /// Its format.
        found: u64,
    },
}

/// One thing that is not as it was when a plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaleReason {
    /// Something that the plan was made from.
    Base {
        /// What, as a fragment.
        what: &'static str,
        /// How it was then.
        then: String,
        /// How it is now.
        now: String,
    },
    /// A change that would be made now and is not in the plan.
    Added(ActionId),
    /// A change of the plan that would not be made now.
    Dropped(ActionId),
    /// A change that is wanted still, but of something that is not as it was.
    SeenOtherwise(ActionId),
    /// A change of the same resource that would do something else now.
    Different(ActionId),
}

impl Plan {
    /// The plan as a file: JSON that ends with a line break. It holds no secret: values of secrets are references.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads what [`Plan::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self, PlanFileError> {
        let not_a_plan = |error: serde_json::Error| PlanFileError::NotAPlan(error.to_string());
        let value: Value = serde_json::from_str(text).map_err(not_a_plan)?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format == u64::from(Self::FORMAT) => serde_json::from_value(value).map_err(not_a_plan),
            Some(found) => Err(PlanFileError::OtherFormat { found }),
            None => Err(PlanFileError::NotAPlan("it names no format".to_owned())),
        }
    }

    /// What has moved since this plan was made, when it would look like `now` today. Planning time is no part of it.
    pub fn moved(&self, now: &Self) -> Vec<StaleReason> {
        let mut moved = moved_base(&self.base, &now.base);
        let (planned, wanted) = (by_id(&self.changes), by_id(&now.changes));
        moved.extend(planned.values().filter_map(|change| moved_change(change, wanted.get(&change.id).copied())));
        moved.extend(wanted.into_keys().filter(|id| !planned.contains_key(id)).cloned().map(StaleReason::Added));
        moved
    }
}

fn by_id(changes: &[Change]) -> BTreeMap<&ActionId, &Change> {
    changes.iter().map(|change| (&change.id, change)).collect()
}

fn moved_change(then: &Change, now: Option<&Change>) -> Option<StaleReason> {
    let id = then.id.clone();
    match now {
        None => Some(StaleReason::Dropped(id)),
        Some(now) if now == then => None,
        Some(now) if Change { expect: then.expect.clone(), ..now.clone() } == *then => {
            Some(StaleReason::SeenOtherwise(id))
        }
        Some(_) => Some(StaleReason::Different(id)),
    }
}

fn moved_base(then: &Base, now: &Base) -> Vec<StaleReason> {
    let short = |digest: &resource::Digest| digest.short().to_owned();
    let rules = |base: &Base| base.rules.as_ref().map_or_else(|| "none".to_owned(), short);
    let parts = [
        ("the cluster", then.cluster.clone(), now.cluster.clone()),
        ("the identity of the cluster's state", then.lineage.clone(), now.lineage.clone()),
        ("the revision of the documents", short(&then.revision), short(&now.revision)),
        ("the serial of the state", then.serial.to_string(), now.serial.to_string()),
        ("the assets", short(&then.lock), short(&now.lock)),
        ("what is known of kinds", short(&then.schemas), short(&now.schemas)),
        ("your rules (--rules)", rules(then), rules(now)),
        ("the version of kubewright", then.kubewright.clone(), now.kubewright.clone()),
    ];
    let differ = parts.into_iter().filter(|(_, then, now)| then != now);
    differ.map(|(what, then, now)| StaleReason::Base { what, then, now }).collect()
}

#[cfg(test)]
mod tests {
    use resource::{Digest, ResourceId};

    use super::*;
    use crate::{Operation, Reason};

    fn plan(names: &[&str]) -> Plan {
        let change =
            |name: &&str| Change::new(&ResourceId::new("machine", name), Operation::Update, Reason::SpecChanged);
        Plan { changes: names.iter().map(change).collect(), ..Plan::empty(Base::of_nothing("demo")) }
    }

    fn id(name: &str) -> ActionId {
        ActionId::new("update", &ResourceId::new("machine", name))
    }

    #[test]
    fn what_was_written_is_read_again() {
        let plan = plan(&["a", "b"]);
        assert_eq!(Plan::from_text(&plan.to_text().unwrap()).unwrap(), plan);
    }

    #[test]
    fn a_part_of_a_plan_something_else_and_a_newer_plan_are_refused() {
        let text = plan(&["a"]).to_text().unwrap();
        for end in 0..text.trim_end().len() {
            assert!(matches!(Plan::from_text(&text[..end]), Err(PlanFileError::NotAPlan(_))), "{end}");
        }
        for other in ["[]", "3", "{}", r#"{"format": "1"}"#, r#"{"format": 1}"#, r#"{"format": 1, "base": 2}"#] {
            assert!(matches!(Plan::from_text(other), Err(PlanFileError::NotAPlan(_))), "{other}");
        }
        let newer = text.replacen("\"format\": 1", "\"format\": 2", 1);
        assert_eq!(Plan::from_text(&newer), Err(PlanFileError::OtherFormat { found: 2 }));
        let unknown = text.replacen("\"format\": 1", "\"format\": 1, \"more\": 2", 1);
        assert!(matches!(Plan::from_text(&unknown), Err(PlanFileError::NotAPlan(_))));
    }

    #[test]
    fn equal_plans_of_different_times_have_not_moved() {
        let mut later = plan(&["a"]);
        later.base.time = "2030-01-01T00:00:00Z".to_owned();
        assert_eq!(plan(&["a"]).moved(&later), []);
    }

    #[test]
    fn every_part_of_the_base_that_moved_is_named() {
        let then = plan(&[]);
        let mut now = plan(&[]);
        now.base.serial = 7;
        now.base.revision = Digest::of_bytes(b"other");
        let moved = then.moved(&now);
        let what = |moved: &StaleReason| match moved {
            StaleReason::Base { what, .. } => *what,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            moved.iter().map(what).collect::<Vec<_>>(),
            ["the revision of the documents", "the serial of the state"]
        );
    }

    #[test]
    fn a_plan_that_was_judged_by_other_rules_has_moved() {
        let rules = || Some(Digest::of_bytes(b"rules"));
        let [first] = plan(&["a"]).with_rules(rules()).moved(&plan(&["a"])).try_into().unwrap();
        let now = "none".to_owned();
        assert_eq!(
            first,
            StaleReason::Base { what: "your rules (--rules)", then: rules().unwrap().short().to_owned(), now }
        );
        assert_eq!(plan(&["a"]).with_rules(rules()).moved(&plan(&["a"]).with_rules(rules())), []);
    }

    #[test]
    fn changes_that_came_went_or_are_others_now_are_named() {
        let then = plan(&["drifted", "gone", "other", "same"]);
        let mut now = plan(&["drifted", "new", "other", "same"]);
        now.changes[0].expect = Some(Digest::of_bytes(b"seen"));
        now.changes[2].after = Some(serde_json::json!({"memory": "2Gi"}));
        assert_eq!(
            then.moved(&now),
            [
                StaleReason::SeenOtherwise(id("drifted")),
                StaleReason::Dropped(id("gone")),
                StaleReason::Different(id("other")),
                StaleReason::Added(id("new")),
            ]
        );
    }
}
