//! What a change does to the world, as often as it is asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{ActionContext, ActionError, Applied, ErrorClass};
use plan::{Change, Operation, field_changes};
use resource::{Behaviour, ResourceId};
use serde_json::Value;
use tokio::time::Instant;

use super::{Lag, Thing, World, observe};
use crate::FakeKind;
use crate::fault::not_visible;

type Kinds = BTreeMap<String, FakeKind>;

impl World {
    pub(super) fn apply(
        &mut self,
        kind: &FakeKind,
        kinds: &Kinds,
        change: &Change,
        context: &ActionContext,
    ) -> Result<Applied, ActionError> {
        let id = &change.resource;
        self.check_unmoved(change)?;
        let before = self.things.get(id).map(|thing| (thing.revision, thing.attributes.clone()));
        match change.operation {
            Operation::Create | Operation::Update | Operation::Adopt => self.ensure(kind, kinds, change, context)?,
            Operation::Delete => self.delete(change)?,
            Operation::Forget | Operation::Run => {}
        }
        let after = self.things.get(id);
        if before.as_ref().map(|(revision, _)| *revision) != after.map(|thing| thing.revision) {
            let until = Instant::now() + self.settles_after;
            self.lagging.insert(id.clone(), Lag { until, seen: before.map(|(_, attributes)| attributes) });
        }
        if self.lagging.get(id).is_some_and(|lag| Instant::now() < lag.until) {
            return Err(not_visible(self.settles_after * 2));
        }
        Ok(Applied { outputs: self.things.get(id).map(|thing| thing.outputs(id, kind)).unwrap_or_default() })
    }

    /// Refuses a change whose thing is no longer what was last told of it, unless this very action changed it.
    fn check_unmoved(&self, change: &Change) -> Result<(), ActionError> {
        let Some(expected) = &change.expect else { return Ok(()) };
        let thing = self.things.get(&change.resource);
        if thing.is_none() && change.operation == Operation::Delete {
            return Ok(());
        }
        let own = thing.is_some_and(|thing| thing.changed_by.as_ref() == Some(&change.id));
        let same = self.told.get(&change.resource).is_some_and(|(digest, revision)| {
            digest == expected && *revision == thing.map_or(0, |thing| thing.revision)
        });
        if own || same {
            return Ok(());
        }
        let message = format!("{} is no longer what it was when the plan was made", change.resource);
        Err(ActionError { class: ErrorClass::Stale, ..ActionError::permanent(message) })
    }

    fn ensure(
        &mut self,
        kind: &FakeKind,
        kinds: &Kinds,
        change: &Change,
        context: &ActionContext,
    ) -> Result<(), ActionError> {
        let id = &change.resource;
        let inputs = change.after.as_ref().ok_or_else(|| broken(id, "is to be made, but nobody says how"))?;
        let attributes = Arc::new(observe::resolve(inputs, context.outputs.as_ref())?);
        self.check_dependencies(kinds, id)?;
        // Whoever makes what is there already, and says so, takes it over.
        let makes_another = |thing: &Thing| {
            let is_blind = change.operation == Operation::Create && change.expect.is_none();
            kind.made_by_token && is_blind && thing.token != context.token
        };
        let Some(thing) = self.things.get(id).filter(|thing| !makes_another(thing)).cloned() else {
            if change.operation == Operation::Update {
                return Err(broken(id, "is to be changed, but it is not there"));
            }
            if kind.made_by_token && !self.spent.insert(context.token.clone()) {
                return Err(broken(id, "is asked for under the token of what is gone"));
            }
            self.make(change, attributes, &context.token);
            return Ok(());
        };
        let differs = field_changes(&kind.schema, &thing.attributes, &attributes);
        if let Some(field) =
            differs.iter().find(|field| matches!(kind.schema.behaviour(&field.path), Some(Behaviour::Replace)))
        {
            return Err(broken(id, &format!("is to be changed in `{}`, which cannot be", field.path.join("."))));
        }
        if !differs.is_empty() {
            let revision = self.next_revision();
            let generation = thing.generation + 1;
            *self.history.changed.entry(id.clone()).or_default() += 1;
            let thing = Thing { attributes, generation, revision, changed_by: Some(change.id.clone()), ..thing };
            self.things.insert(id.clone(), thing);
        }
        Ok(())
    }

    fn make(&mut self, change: &Change, attributes: Arc<Value>, token: &str) {
        let id = &change.resource;
        let revision = self.next_revision();
        let birth = self.history.made.entry(id.clone()).or_default();
        *birth += 1;
        let thing = Thing {
            attributes,
            birth: *birth,
            generation: 0,
            revision,
            token: token.to_owned(),
            changed_by: Some(change.id.clone()),
        };
        self.things.insert(id.clone(), thing);
    }

    fn check_dependencies(&self, kinds: &Kinds, id: &ResourceId) -> Result<(), ActionError> {
        let needs = self.wires.get(id).into_iter().flat_map(|wires| &wires.depends_on);
        let mut missing = needs.filter(|need| kinds.contains_key(need.kind()) && !self.things.contains_key(*need));
        match missing.next() {
            Some(need) => Err(broken(id, &format!("is made or changed while {need} is not there"))),
            None => Ok(()),
        }
    }

    fn delete(&mut self, change: &Change) -> Result<(), ActionError> {
        let id = &change.resource;
        let stands_on = |other: &&ResourceId| {
            self.wires.get(*other).is_some_and(|wires| wires.depends_on.contains(id) && wires.contained_in.is_none())
        };
        if !change.replaces
            && let Some(other) = self.things.keys().find(stands_on)
        {
            return Err(broken(id, &format!("is deleted while {other} stands on it")));
        }
        self.remove(id);
        Ok(())
    }

    /// Removes a thing with everything in it.
    pub(super) fn remove(&mut self, id: &ResourceId) {
        let inside: Vec<ResourceId> = self.things.keys().filter(|other| self.is_in(other, id)).cloned().collect();
        for gone in inside.iter().chain([id]) {
            if self.things.remove(gone).is_some() {
                *self.history.removed.entry(gone.clone()).or_default() += 1;
            }
        }
    }

    fn is_in(&self, id: &ResourceId, container: &ResourceId) -> bool {
        let parent = self.wires.get(id).and_then(|wires| wires.contained_in.as_ref());
        parent.is_some_and(|parent| parent == container || self.is_in(parent, container))
    }
}

fn broken(id: &ResourceId, what: &str) -> ActionError {
    ActionError::permanent(format!("{id} {what}"))
}
