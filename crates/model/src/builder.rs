//! Collects resources while they are built.

use std::collections::BTreeMap;

use resource::{Desired, Lifecycle, ResourceId};
use serde::Serialize;
use serde_json::Value;

use crate::ModelError;
use crate::stand_in::StandIns;

/// The resources built so far.
pub(crate) struct Builder<'a> {
    resources: BTreeMap<ResourceId, Desired>,
    stand_ins: &'a StandIns,
    /// The first id that was added twice.
    twice: Option<ResourceId>,
}

impl<'a> Builder<'a> {
    /// Nothing yet. What stands in for addresses is replaced in everything that is added.
    pub(crate) fn new(stand_ins: &'a StandIns) -> Self {
        Self { resources: BTreeMap::new(), stand_ins, twice: None }
    }

    /// Adds a resource.
    pub(crate) fn add(&mut self, mut resource: Desired) {
        self.stand_ins.replace(&mut resource);
        let id = resource.id.clone();
        if self.resources.insert(id.clone(), resource).is_some() {
            self.twice.get_or_insert(id);
        }
    }

    /// Adds a resource that is made from the injected clock and randomness.
    pub(crate) fn generate(&mut self, id: ResourceId, inputs: Value) {
        self.add(Desired { lifecycle: Lifecycle::Generated, ..Desired::new(id, inputs) });
    }

    /// All of them; each must be the only one of its id.
    pub(crate) fn finish(self) -> Result<BTreeMap<ResourceId, Desired>, ModelError> {
        self.twice.map_or(Ok(self.resources), |id| Err(ModelError::Twice(id)))
    }
}

/// A typed value as JSON.
pub(crate) fn encode(what: &str, value: &impl Serialize) -> Result<Value, ModelError> {
    serde_json::to_value(value).map_err(|source| ModelError::Encode { what: what.to_owned(), source })
}

/// Adds what was being rendered to an error.
pub(crate) fn rendering<T>(what: &str, result: Result<T, render::Error>) -> Result<T, ModelError> {
    result.map_err(|source| ModelError::Render { what: what.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_resources_of_one_id_are_refused() {
        let none = StandIns::default();
        let (mut builder, id) = (Builder::new(&none), ResourceId::new("node", "a"));
        builder.add(Desired::new(id.clone(), Value::Null));
        builder.add(Desired::new(id.clone(), Value::Bool(true)));
        assert!(matches!(builder.finish(), Err(ModelError::Twice(twice)) if twice == id));
    }
}
