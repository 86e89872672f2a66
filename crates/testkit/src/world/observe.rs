//! Looking at things: references resolved, and what is there shown in the shape of what is wanted.

use std::collections::BTreeMap;

use engine::{ActionError, ObserveContext, ObserveRequest, Output};
use resource::{Digest, MEMBER_SERVES, Observation, Reference};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::World;
use crate::FakeKind;

impl World {
    pub(super) fn observe(
        &mut self,
        kind: Option<&FakeKind>,
        request: &ObserveRequest,
        context: &dyn ObserveContext,
    ) -> Observation {
        let id = &request.id;
        if let Some(why) = self.hidden.get(id.as_str()).or_else(|| self.hidden.get(id.kind())) {
            return Observation::unknown(why);
        }
        let thing = self.things.get(id);
        let shown = match self.lagging.get(id).filter(|lag| Instant::now() < lag.until) {
            Some(lag) => lag.seen.clone(),
            None => thing.map(|thing| thing.attributes.clone()),
        };
        let Some(have) = shown else { return Observation::Absent };
        let attributes = match request.inputs() {
            Some(wanted) => show(wanted, &have, context),
            None => Value::clone(&have),
        };
        let revision = thing.map_or(0, |thing| thing.revision);
        let shown = kind.filter(|kind| kind.shows_outputs).zip(thing);
        let outputs = shown.map(|(kind, thing)| thing.outputs(id, kind)).unwrap_or_default();
        let public = outputs.into_iter().filter_map(|(name, output)| match output {
            Output::Public(value) => Some((name, value)),
            Output::Secret(_) => None,
        });
        let mut outputs: BTreeMap<String, Value> = public.collect();
        if kind.is_some_and(|kind| (kind.schema.is_member)(&have)) {
            outputs.insert(MEMBER_SERVES.to_owned(), true.into());
        }
        self.told.insert(id.clone(), (Digest::of_json(&attributes), revision));
        Observation::Present { attributes, outputs }
    }
}

/// What inputs stand for, with secrets as digests.
pub(super) fn resolve(inputs: &Value, context: &dyn ObserveContext) -> Result<Value, ActionError> {
    if let Some(reference) = Reference::from_value(inputs) {
        return resolved(&reference, context);
    }
    Ok(match inputs {
        Value::Array(items) => items.iter().map(|item| resolve(item, context)).collect::<Result<_, _>>()?,
        Value::Object(fields) => {
            let resolve = |(name, field): (&String, &Value)| Ok((name.clone(), resolve(field, context)?));
            Value::Object(fields.iter().map(resolve).collect::<Result<Map<_, _>, ActionError>>()?)
        }
        other => other.clone(),
    })
}

fn resolved(reference: &Reference, context: &dyn ObserveContext) -> Result<Value, ActionError> {
    let output = context.output(reference).map_err(|error| ActionError::from_source("something is missing", &error))?;
    Ok(match output {
        Output::Public(value) => value,
        Output::Secret(secret) => json!(format!("secret {}", Digest::of_bytes(secret.reveal().as_bytes()).short())),
    })
}

/// What is there in the shape of what is wanted: a reference that stands for what is there stays a reference.
fn show(wanted: &Value, have: &Value, context: &dyn ObserveContext) -> Value {
    if let Some(reference) = Reference::from_value(wanted) {
        return match resolved(&reference, context) {
            Ok(value) if value == *have => wanted.clone(),
            _ => json!(format!("sha256:{}", Digest::of_json(have))),
        };
    }
    match (wanted, have) {
        (Value::Object(wanted), Value::Object(have)) => {
            let show = |(name, have): (&String, &Value)| {
                let shown = wanted.get(name).map_or_else(|| have.clone(), |wanted| show(wanted, have, context));
                (name.clone(), shown)
            };
            Value::Object(have.iter().map(show).collect())
        }
        (Value::Array(wanted), Value::Array(have)) if wanted.len() == have.len() => {
            wanted.iter().zip(have).map(|(wanted, have)| show(wanted, have, context)).collect()
        }
        _ => have.clone(),
    }
}
