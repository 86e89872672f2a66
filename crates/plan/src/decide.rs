//! What to do about each resource, looked at on its own and then with what it refers to.

use std::collections::{BTreeMap, BTreeSet};

use resource::{
    Behaviour, ChangedBy, Desired, Digest, FieldChange, KindSchema, Lifecycle, Observation, Recorded, Reference,
    ResourceId, STOPPED, reference,
};
use serde_json::Value;

use crate::planner::Input;
use crate::texts::Texts;
use crate::{ActionId, Change, DriftLine, Operation, Reason, ReportLine, ReportReason, field_changes, remove};

/// The first segment of the path of an output, which is no input.
const OUTPUTS: &str = "outputs";

/// The outcome of deciding.
#[derive(Default)]
pub(crate) struct Decisions {
    /// Whose outputs are known only when the plan is carried out.
    pub(crate) unsettled: BTreeSet<ResourceId>,
    pub(crate) changes: Vec<Change>,
    pub(crate) report: Vec<ReportLine>,
    pub(crate) drift: Vec<DriftLine>,
}

/// Decides about everything that is desired or recorded.
pub(crate) fn decide(input: &Input<'_>) -> Decisions {
    let mut context = Context {
        input,
        decisions: Decisions::default(),
        blocked: BTreeSet::new(),
        remade: BTreeSet::new(),
        new_outputs: BTreeSet::new(),
        texts: Texts::new(input.recorded, input.observed),
    };
    for id in dependency_order(input.desired) {
        context.desired(&input.desired[&id]);
    }
    remove::remove(&mut context);
    context.beside();
    let unsettled = context.texts.unsettled();
    Decisions { unsettled, ..context.decisions }
}

/// Desired ids, dependencies first. A circle is reported when changes are ordered; here its members come last.
fn dependency_order(desired: &BTreeMap<ResourceId, Desired>) -> Vec<ResourceId> {
    let dependencies = desired.iter().map(|(id, resource)| (id.clone(), resource.dependencies())).collect();
    graph::Dag::new(&dependencies).map_or_else(|_| desired.keys().cloned().collect(), |dag| dag.order())
}

/// What is decided so far.
pub(crate) struct Context<'a> {
    pub(crate) input: &'a Input<'a>,
    decisions: Decisions,
    /// Could not be observed, or depends on something that could not.
    pub(crate) blocked: BTreeSet<ResourceId>,
    /// Made anew by this plan: what they contained is gone.
    pub(crate) remade: BTreeSet<ResourceId>,
    /// Will have other outputs than recorded.
    new_outputs: BTreeSet<ResourceId>,
    /// What is known of the outputs that stand in texts.
    texts: Texts<'a>,
}

impl Context<'_> {
    fn desired(&mut self, desired: &Desired) {
        let id = &desired.id;
        let unknown = Observation::unknown("it was not looked for");
        let observation = self.input.observed.get(id).unwrap_or(&unknown);
        let recorded = self.input.recorded.get(id);
        if desired.lifecycle == Lifecycle::Ignored {
            self.decisions.report.push(ReportLine { resource: id.clone(), reason: ReportReason::Ignored });
            return;
        }
        if let Some(on) = self.waits_for(desired, observation) {
            self.block(id, ReportReason::WaitsFor { on });
            return;
        }
        if desired.lifecycle == Lifecycle::Shared {
            self.shared(desired, observation);
            return;
        }
        let parent_remade = desired.contained_in.as_ref().filter(|parent| self.remade.contains(*parent));
        match observation {
            Observation::Unknown { why } if parent_remade.is_none() => {
                self.block(id, ReportReason::Unknown { why: why.clone() });
            }
            Observation::Foreign { .. } if parent_remade.is_none() => self.block(id, ReportReason::Taken),
            Observation::Present { attributes, outputs } if parent_remade.is_none() => {
                self.present(desired, recorded, attributes, outputs);
            }
            Observation::Orphan { attributes } if parent_remade.is_none() => {
                self.present(desired, recorded, attributes, &BTreeMap::new());
            }
            _ => self.absent(desired, recorded, parent_remade.cloned()),
        }
    }

    /// What a resource waits for that is blocked.
    fn waits_for(&self, desired: &Desired, observation: &Observation) -> Option<ResourceId> {
        let is_there = matches!(observation, Observation::Present { .. });
        let is_needed = |need: &ResourceId| !(is_there && desired.if_seen.contains(need));
        desired.dependencies().into_iter().find(|need| self.blocked.contains(need) && is_needed(need))
    }

    pub(crate) fn block(&mut self, id: &ResourceId, reason: ReportReason) {
        self.blocked.insert(id.clone());
        self.decisions.report.push(ReportLine { resource: id.clone(), reason });
    }

    fn shared(&mut self, desired: &Desired, observation: &Observation) {
        let reason = match observation {
            Observation::Unknown { why } => ReportReason::Unknown { why: why.clone() },
            Observation::Absent => ReportReason::Unknown { why: "it is shared, but it is not there".to_owned() },
            Observation::Present { attributes, .. }
            | Observation::Orphan { attributes }
            | Observation::Foreign { attributes } => ReportReason::Shared {
                differs: field_changes(&self.schema(&desired.id), attributes, &self.texts.filled(&desired.inputs)),
            },
        };
        let blocks = matches!(reason, ReportReason::Unknown { .. });
        if blocks {
            self.block(&desired.id, reason);
        } else {
            self.decisions.report.push(ReportLine { resource: desired.id.clone(), reason });
        }
    }

    fn absent(&mut self, desired: &Desired, recorded: Option<&Recorded>, parent_remade: Option<ResourceId>) {
        let reason = match (recorded, parent_remade) {
            (None, _) => Reason::New,
            (_, Some(on)) => Reason::DependencyChanged { on },
            (Some(recorded), _) if recorded.tainted => Reason::Interrupted,
            (Some(_), _) => {
                self.decisions.drift.push(DriftLine { resource: desired.id.clone(), gone: true, fields: Vec::new() });
                Reason::Drifted
            }
        };
        self.remade.insert(desired.id.clone());
        self.outputs_change(&desired.id);
        self.push(Change {
            before: recorded.map(|recorded| recorded.made_with().into_owned()),
            after: Some(self.texts.filled(&desired.inputs).into_owned()),
            ..Change::new(&desired.id, Operation::Create, reason)
        });
    }

    fn present(
        &mut self,
        desired: &Desired,
        recorded: Option<&Recorded>,
        attributes: &Value,
        outputs: &BTreeMap<String, Value>,
    ) {
        let schema = self.schema(&desired.id);
        // What an action that was cut off gave was not recorded, so it is nobody else's doing.
        let settled = recorded.filter(|recorded| !recorded.tainted);
        let other_outputs = settled.map(|recorded| other_outputs(recorded, outputs)).unwrap_or_default();
        let inputs = self.texts.filled(&desired.inputs);
        let mut fields = field_changes(&schema, attributes, &inputs);
        let (operation, reason) = match recorded {
            None => (Operation::Create, Reason::FoundUnrecorded),
            Some(recorded) => {
                let made = recorded.made_with();
                let wished = field_changes(&schema, &made, &inputs);
                let drifted: Vec<FieldChange> =
                    fields.iter().filter(|field| !wished.iter().any(|wish| wish.path == field.path)).cloned().collect();
                if !drifted.is_empty() || !other_outputs.is_empty() {
                    // Shown as somebody changed it; the change itself is the way back. Outputs have none: they are taken in.
                    let fields =
                        drifted.iter().map(FieldChange::reversed).chain(other_outputs.iter().cloned()).collect();
                    self.decisions.drift.push(DriftLine { resource: desired.id.clone(), gone: false, fields });
                }
                let referred = self.changed_reference(&schema, &desired.inputs);
                if fields.is_empty() && !recorded.tainted && referred.is_none() && other_outputs.is_empty() {
                    return;
                }
                let moved = field_changes(&schema, &made, attributes);
                for field in &mut fields {
                    field.changed_by = Some(changed_by(field, &wished, &moved));
                }
                let (differing, drifted) = (fields.len() + other_outputs.len(), drifted.len() + other_outputs.len());
                // What stands in the spec is as it was: something that it refers to is not.
                let is_as_asked = recorded.inputs == desired.inputs;
                let only_referred = referred
                    .clone()
                    .or_else(|| self.texts.moved(recorded))
                    .filter(|_| is_as_asked && drifted < differing);
                let reason = match only_referred {
                    Some(on) if !recorded.tainted => Reason::DependencyChanged { on },
                    _ => update_reason(recorded, differing, drifted, referred),
                };
                (Operation::Update, stopped(&schema, recorded).unwrap_or(reason))
            }
        };
        for field in &mut fields {
            field.known_after_apply = field.after.as_ref().is_some_and(|after| self.refers_to_new_outputs(after));
        }
        let replace = fields.iter().find(|field| matches!(schema.behaviour(&field.path), Some(Behaviour::Replace)));
        let effects = (schema.effects)(&fields, attributes, &inputs);
        let template = Change {
            expect: Some(Digest::of_json(attributes)),
            before: recorded.map(|recorded| recorded.made_with().into_owned()),
            after: Some(inputs.into_owned()),
            effects,
            ..Change::new(&desired.id, operation, reason)
        };
        if let (Operation::Update, Some(field)) = (operation, replace) {
            let reason = Reason::CannotUpdate { field: field.path.join(".") };
            self.replace(template, reason, fields);
            return;
        }
        // What an interrupted action gave was not recorded, so those that refer to it look at it again.
        let in_doubt = recorded.is_some_and(|recorded| recorded.tainted);
        if operation == Operation::Create || in_doubt {
            self.texts.distrust_record(&desired.id);
        }
        if schema.update_changes_outputs {
            self.outputs_change(&desired.id);
        } else if operation == Operation::Create || in_doubt || !other_outputs.is_empty() {
            self.new_outputs.insert(desired.id.clone());
        }
        fields.extend(other_outputs);
        self.push(Change { fields, ..template });
    }

    fn replace(&mut self, template: Change, reason: Reason, fields: Vec<FieldChange>) {
        let id = template.resource.clone();
        self.remade.insert(id.clone());
        self.outputs_change(&id);
        self.push(Change {
            id: ActionId::new("delete", &id),
            operation: Operation::Delete,
            reason: reason.clone(),
            replaces: true,
            after: None,
            ..template.clone()
        });
        self.push(Change {
            id: ActionId::new("create", &id),
            operation: Operation::Create,
            reason,
            replaces: true,
            fields,
            expect: None,
            effects: Vec::new(),
            ..template
        });
    }

    /// What was seen beside what was asked for is told, and left alone: also what is ours.
    fn beside(&mut self) {
        let Input { desired, recorded, observed, .. } = self.input;
        let beside = observed.iter().filter(|(id, _)| !desired.contains_key(*id) && !recorded.contains_key(*id));
        let lines = beside.filter_map(|(id, observation)| {
            let reason = match observation {
                Observation::Present { .. } | Observation::Foreign { .. } => ReportReason::Foreign,
                Observation::Orphan { .. } => ReportReason::Orphan,
                Observation::Absent | Observation::Unknown { .. } => return None,
            };
            Some(ReportLine { resource: id.clone(), reason })
        });
        self.decisions.report.extend(lines);
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.decisions.changes.push(change);
    }

    /// What is decided about a resource so far.
    pub(crate) fn actions_on(&self, id: &ResourceId) -> BTreeSet<ActionId> {
        let changes = self.decisions.changes.iter().filter(|change| change.resource == *id);
        changes.map(|change| change.id.clone()).collect()
    }

    pub(crate) fn schema(&self, id: &ResourceId) -> KindSchema {
        self.input.schemas.get(id.kind()).cloned().unwrap_or_else(|| KindSchema::plain("unknown"))
    }

    /// A resource gets outputs that nobody knows yet.
    fn outputs_change(&mut self, id: &ResourceId) {
        self.new_outputs.insert(id.clone());
        self.texts.forget(id);
    }

    fn refers_to_new_outputs(&self, value: &Value) -> bool {
        reference::find_references(value).iter().any(|found| self.new_outputs.contains(&found.resource))
    }

    /// The first resource that a compared field refers to and whose outputs will change.
    fn changed_reference(&self, schema: &KindSchema, inputs: &Value) -> Option<ResourceId> {
        if self.new_outputs.is_empty() {
            return None;
        }
        compared_references(schema, &mut Vec::new(), inputs).into_iter().find(|id| self.new_outputs.contains(id))
    }
}

/// Outputs that are seen to be others than recorded, as fields below [`OUTPUTS`]: an address or a name that changed outside, of
/// which whatever refers to it must hear.
fn other_outputs(recorded: &Recorded, seen: &BTreeMap<String, Value>) -> Vec<FieldChange> {
    let field = |(name, known, value): (&String, &Value, &Value)| FieldChange {
        path: vec![OUTPUTS.to_owned(), name.clone()],
        before: Some(known.clone()),
        after: Some(value.clone()),
        secret: false,
        known_after_apply: false,
        changed_by: Some(ChangedBy::Outside),
    };
    recorded.other_outputs(seen).map(field).collect()
}

/// Whose outputs those fields refer to that are compared again and again.
fn compared_references(schema: &KindSchema, path: &mut Vec<String>, value: &Value) -> Vec<ResourceId> {
    if matches!(schema.behaviour(path), Some(Behaviour::Computed | Behaviour::CreateOnly)) {
        return Vec::new();
    }
    if let Some(found) = Reference::from_value(value) {
        return vec![found.resource];
    }
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), field)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, value) in inner {
        path.push(name);
        found.extend(compared_references(schema, path, value));
        path.pop();
    }
    found
}

/// Who changed a field that is to be changed: the spec `wished` for something else than was recorded, or what is there has
/// `moved` away from it.
fn changed_by(field: &FieldChange, wished: &[FieldChange], moved: &[FieldChange]) -> ChangedBy {
    let among = |all: &[FieldChange]| all.iter().any(|other| overlap(&other.path, &field.path));
    match (among(wished), among(moved)) {
        (true, true) => ChangedBy::Both,
        (true, false) => ChangedBy::Spec,
        (false, _) => ChangedBy::Outside,
    }
}

/// Whether one path is the other or leads to it: what is compared as a whole here may be compared part by part there.
fn overlap(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Who switched it off, and when: for what has power, and was switched off by us.
fn stopped(schema: &KindSchema, recorded: &Recorded) -> Option<Reason> {
    let is_off = recorded.inputs.get(schema.power?) == Some(&Value::Bool(false));
    let stopped = recorded.inputs.get(STOPPED).filter(|_| is_off && !recorded.tainted)?;
    let text = |field: &str| stopped.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Reason::Stopped { by: text("by"), at: text("at") })
}

fn update_reason(recorded: &Recorded, fields: usize, drifted: usize, referred: Option<ResourceId>) -> Reason {
    match referred {
        _ if recorded.tainted => Reason::Interrupted,
        _ if fields > drifted => Reason::SpecChanged,
        _ if fields > 0 => Reason::Drifted,
        Some(on) => Reason::DependencyChanged { on },
        None => Reason::SpecChanged,
    }
}
