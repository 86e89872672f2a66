//! Plans that change power and nothing else: what was made is switched off, or on again, as it is.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Desired, Digest, FieldChange, KindSchema, Observation, Recorded, ResourceId, STOPPED};
use serde_json::{Value, json};

use crate::planner::Expander;
use crate::{Base, Change, Input, Operation, Plan, PlanError, Reason, make_plan};

/// What a plan that changes power is made from, and what it leads to.
pub struct Power<'a> {
    /// What the plan will be bound to.
    pub base: Base,
    /// What the state remembers. What the documents ask for by now plays no part.
    pub recorded: &'a BTreeMap<ResourceId, Recorded>,
    /// What was found of [`Power::concerned`].
    pub observed: &'a BTreeMap<ResourceId, Observation>,
    /// Schemas by kind.
    pub schemas: &'a BTreeMap<String, KindSchema>,
    /// Expanders by kind.
    pub expanders: &'a BTreeMap<String, Expander>,
}

/// A plan, and what its changes lead to.
pub type Led = (Plan, BTreeMap<ResourceId, Desired>);

/// What has power, and everything that it stands on: what must be looked at before power is changed.
pub fn concerned(
    recorded: &BTreeMap<ResourceId, Recorded>,
    schemas: &BTreeMap<String, KindSchema>,
) -> BTreeMap<ResourceId, Recorded> {
    let mut queue: Vec<&ResourceId> = recorded.keys().filter(|id| field(schemas, id).is_some()).collect();
    let mut found = BTreeMap::new();
    while let Some(id) = queue.pop() {
        let Some(known) = recorded.get(id).filter(|_| !found.contains_key(id)) else { continue };
        found.insert(id.clone(), known.clone());
        queue.extend(&known.depends_on);
    }
    found
}

fn field(schemas: &BTreeMap<String, KindSchema>, id: &ResourceId) -> Option<&'static str> {
    schemas.get(id.kind())?.power
}

impl Power<'_> {
    /// Switches everything off that is on, and takes down that `by` asked for it.
    pub fn stopping(self, by: &str) -> Led {
        let stopped = json!({"by": by, "at": self.base.time});
        let (mut changes, mut desired) = (Vec::new(), BTreeMap::new());
        for (id, recorded) in self.recorded {
            let Some((field, attributes)) = self.seen(id) else { continue };
            let off = Some(&Value::Bool(false));
            if attributes.get(field) == off && recorded.inputs.get(field) == off {
                continue;
            }
            let mut inputs = recorded.inputs.clone();
            inputs[field] = json!(false);
            inputs[STOPPED] = stopped.clone();
            changes.push(Change {
                before: Some(recorded.made_with().into_owned()),
                after: Some(inputs.clone()),
                expect: Some(Digest::of_json(attributes)),
                fields: vec![FieldChange {
                    path: vec![field.to_owned()],
                    before: attributes.get(field).cloned(),
                    after: Some(json!(false)),
                    secret: false,
                    known_after_apply: false,
                    changed_by: None,
                }],
                ..Change::new(id, Operation::Update, Reason::Asked)
            });
            desired.insert(id.clone(), Desired { inputs, ..Desired::as_recorded(id, recorded) });
        }
        (Plan { changes, ..Plan::empty(self.base) }, desired)
    }

    /// Switches everything on that is off, after what it stands on is there again. Nothing is made that is gone, nothing is
    /// deleted, and nothing becomes what the documents ask for by now.
    pub fn starting(self) -> Result<Led, PlanError> {
        let concerned = concerned(self.recorded, self.schemas);
        let desired: BTreeMap<ResourceId, Desired> =
            concerned.iter().map(|(id, recorded)| (id.clone(), on(self.schemas, id, recorded))).collect();
        let off = concerned.keys().filter(|id| {
            self.seen(id).is_some_and(|(field, attributes)| attributes.get(field) != Some(&Value::Bool(true)))
        });
        let targets: BTreeSet<ResourceId> = off.cloned().collect();
        if targets.is_empty() {
            return Ok((Plan::empty(self.base), desired));
        }
        let plan = make_plan(Input {
            base: self.base,
            desired: &desired,
            recorded: &concerned,
            observed: self.observed,
            schemas: self.schemas,
            expanders: self.expanders,
        })?;
        let mut plan = plan.limited_to(&targets);
        plan.report.retain(|line| targets.contains(&line.resource));
        plan.drift.clear();
        Ok((plan, desired))
    }

    /// The field of power and what was seen of something that has power and is there.
    fn seen(&self, id: &ResourceId) -> Option<(&'static str, &Value)> {
        match (field(self.schemas, id)?, self.observed.get(id)?) {
            (field, Observation::Present { attributes, .. }) => Some((field, attributes)),
            _ => None,
        }
    }
}

/// What is recorded, switched on.
fn on(schemas: &BTreeMap<String, KindSchema>, id: &ResourceId, recorded: &Recorded) -> Desired {
    let mut desired = Desired::as_recorded(id, recorded);
    if let (Some(field), Some(inputs)) = (field(schemas, id), desired.inputs.as_object_mut()) {
        inputs.insert(field.to_owned(), json!(true));
        inputs.remove(STOPPED);
    }
    desired
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportReason;

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    fn recorded(inputs: Value, depends_on: &[&str]) -> Recorded {
        let depends_on = depends_on.iter().map(|text| id(text)).collect();
        Recorded { depends_on, ..Recorded::of_inputs(1, inputs) }
    }

    fn schemas() -> BTreeMap<String, KindSchema> {
        let machine = KindSchema::plain("machine").power("running");
        [machine, KindSchema::plain("network"), KindSchema::plain("config")]
            .into_iter()
            .map(|schema| (schema.kind.to_owned(), schema))
            .collect()
    }

    /// A machine on a network, with a config on it.
    fn made() -> BTreeMap<ResourceId, Recorded> {
        BTreeMap::from([
            (id("network/n"), recorded(json!({"bridge": "b"}), &[])),
            (id("machine/m"), recorded(json!({"running": true, "memory": 1}), &["network/n"])),
            (id("config/c"), recorded(json!({"x": 1}), &["machine/m"])),
        ])
    }

    fn seen(running: bool) -> BTreeMap<ResourceId, Observation> {
        BTreeMap::from([
            (id("network/n"), Observation::present(json!({"bridge": "b"}))),
            (id("machine/m"), Observation::present(json!({"running": running, "memory": 1}))),
        ])
    }

    fn power<'a>(
        recorded: &'a BTreeMap<ResourceId, Recorded>,
        observed: &'a BTreeMap<ResourceId, Observation>,
        schemas: &'a BTreeMap<String, KindSchema>,
        expanders: &'a BTreeMap<String, Expander>,
    ) -> Power<'a> {
        Power { base: Base::of_nothing("demo"), recorded, observed, schemas, expanders }
    }

    fn ids(plan: &Plan) -> Vec<&str> {
        plan.changes.iter().map(|change| change.id.as_str()).collect()
    }

    /// Made, and stopped by ada.
    fn stopped() -> BTreeMap<ResourceId, Recorded> {
        let (made, seen, schemas) = (made(), seen(true), schemas());
        let (plan, desired) = power(&made, &seen, &schemas, &BTreeMap::new()).stopping("ada@host");
        assert_eq!(ids(&plan), ["update machine/m"]);
        let mut stopped = made;
        for (id, desired) in desired {
            stopped.get_mut(&id).unwrap().inputs = desired.inputs;
        }
        stopped
    }

    #[test]
    fn what_is_concerned_is_what_has_power_and_what_it_stands_on() {
        let found = concerned(&made(), &schemas());
        assert!(found.keys().eq([&id("machine/m"), &id("network/n")]));
    }

    #[test]
    fn what_is_off_already_and_was_switched_off_by_us_is_not_stopped_again() {
        let (stopped, seen, schemas, expanders) = (stopped(), seen(false), schemas(), BTreeMap::new());
        assert!(power(&stopped, &seen, &schemas, &expanders).stopping("bob@host").0.is_empty());
        let made = made();
        assert_eq!(ids(&power(&made, &seen, &schemas, &expanders).stopping("bob@host").0), ["update machine/m"]);
    }

    #[test]
    fn what_we_stopped_is_said_to_be_stopped_by_us_and_is_no_drift() {
        let (stopped, seen, schemas) = (stopped(), seen(false), schemas());
        let made = made();
        let desired = made.iter().map(|(id, recorded)| (id.clone(), Desired::as_recorded(id, recorded))).collect();
        let base = Base::of_nothing("demo");
        let at = base.time.clone();
        let input = Input {
            base,
            desired: &desired,
            recorded: &stopped,
            observed: &seen,
            schemas: &schemas,
            expanders: &BTreeMap::new(),
        };
        let plan = make_plan(input).unwrap();
        let change = plan.changes.iter().find(|change| change.resource == id("machine/m")).unwrap();
        assert_eq!(change.reason, Reason::Stopped { by: "ada@host".to_owned(), at });
        let fields: Vec<String> = change.fields.iter().map(|field| field.path.join(".")).collect();
        assert_eq!(fields, ["running"]);
        assert!(plan.drift.is_empty(), "{:?}", plan.drift);
    }

    #[test]
    fn starting_changes_power_and_nothing_that_is_pending() {
        let (stopped, seen, schemas, expanders) = (stopped(), seen(false), schemas(), BTreeMap::new());
        let (plan, desired) = power(&stopped, &seen, &schemas, &expanders).starting().unwrap();
        assert_eq!(ids(&plan), ["update machine/m"]);
        assert_eq!(desired[&id("machine/m")].inputs, json!({"running": true, "memory": 1}));
        assert!(!plan.report.iter().any(|line| line.reason == ReportReason::NotTargeted));
    }

    #[test]
    fn starting_brings_back_what_a_machine_stands_on_but_no_machine_that_is_gone() {
        let (made, schemas, expanders) = (made(), schemas(), BTreeMap::new());
        let mut observed = seen(false);
        observed.insert(id("network/n"), Observation::Absent);
        let (plan, _) = power(&made, &observed, &schemas, &expanders).starting().unwrap();
        assert_eq!(ids(&plan), ["create network/n", "update machine/m"]);
        observed.insert(id("machine/m"), Observation::Absent);
        assert!(power(&made, &observed, &schemas, &expanders).starting().unwrap().0.is_empty());
    }
}
