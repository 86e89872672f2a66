//! Collects resources while they are built.

use std::collections::BTreeMap;

use resource::{Desired, Lifecycle, ResourceId};
use serde::Serialize;
use serde_json::Value;

use crate::ModelError;

/// The resources built so far.
#[derive(Default)]
pub(crate) struct Builder {
    resources: BTreeMap<ResourceId, Desired>,
    /// The first id that was added twice.
    twice: Option<ResourceId>,
}

impl Builder {
    /// Adds a resource.
    pub(crate) fn add(&mut self, resource: Desired) {
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
        let (mut builder, id) = (Builder::default(), ResourceId::new("node", "a"));
        builder.add(Desired::new(id.clone(), Value::Null));
        builder.add(Desired::new(id.clone(), Value::Bool(true)));
        assert!(matches!(builder.finish(), Err(ModelError::Twice(twice)) if twice == id));
    }
}
