//! What steps of a plan will disturb, once it was looked at what they meet.

use std::collections::BTreeMap;

use resource::{Effect, KindSchema, Observation, ResourceId};
use serde_json::Value;

use crate::{Operation, Plan, ReportLine, ReportReason};

impl Plan {
    /// The same plan, its steps with these `inputs`, and with the effects that their kinds see in what was `observed`. What could
    /// not be looked at is reported.
    #[must_use]
    pub fn foreseen(
        mut self,
        inputs: &BTreeMap<ResourceId, Value>,
        observed: &BTreeMap<ResourceId, Observation>,
        schemas: &BTreeMap<String, KindSchema>,
    ) -> Self {
        for step in self.changes.iter_mut().filter(|change| change.operation == Operation::Run) {
            let Some(after) = inputs.get(&step.resource) else { continue };
            step.after = Some(after.clone());
            let seen = match observed.get(&step.resource) {
                Some(Observation::Unknown { why }) => {
                    let reason = ReportReason::Unknown { why: why.clone() };
                    self.report.push(ReportLine { resource: step.resource.clone(), reason });
                    continue;
                }
                Some(Observation::Present { attributes, .. }) => attributes,
                _ => &Value::Null,
            };
            if let Some(schema) = schemas.get(step.resource.kind()) {
                step.effects = (schema.effects)(&[], seen, after);
            }
        }
        self
    }

    /// The same plan, with what was found out that changes of these resources disturb besides what they say themselves.
    #[must_use]
    pub fn with_effects(mut self, effects: &BTreeMap<ResourceId, Vec<Effect>>) -> Self {
        for change in &mut self.changes {
            change.effects.extend(effects.get(&change.resource).into_iter().flatten().cloned());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Base, Change, Reason};

    fn foreseen(observation: Observation) -> Plan {
        let drain = ResourceId::new("drain", "w-1");
        let node = Change::new(&ResourceId::new("node", "w-1"), Operation::Delete, Reason::NoLongerWanted);
        let step = Change::new(&drain, Operation::Run, Reason::StepOf { change: node.id.clone() });
        let effects = |_: &[_], seen: &Value, _: &Value| vec![Effect::LosesData { what: seen["pods"].to_string() }];
        let schema = KindSchema::plain("drain").effects(effects);
        let plan = Plan { changes: vec![step, node], ..Plan::empty(Base::of_nothing("demo")) };
        plan.foreseen(
            &BTreeMap::from([(drain.clone(), json!({"force": true}))]),
            &BTreeMap::from([(drain, observation)]),
            &BTreeMap::from([("drain".to_owned(), schema)]),
        )
    }

    #[test]
    fn a_step_says_what_it_will_meet() {
        let plan = foreseen(Observation::present(json!({"pods": 3})));
        assert_eq!(plan.changes[0].effects, [Effect::LosesData { what: "3".to_owned() }]);
        assert_eq!(plan.changes[0].after, Some(json!({"force": true})));
        assert_eq!((plan.changes[1].after.as_ref(), plan.report.len()), (None, 0), "the change itself stays as it is");
    }

    #[test]
    fn what_a_step_will_meet_and_could_not_be_seen_is_reported() {
        let plan = foreseen(Observation::unknown("no answer"));
        assert!(plan.changes[0].effects.is_empty() && plan.report[0].reason.is_unknown());
        assert_eq!(plan.report[0].resource, plan.changes[0].resource);
    }
}
