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
}

impl Builder {
    /// Adds a resource.
    pub(crate) fn add(&mut self, resource: Desired) {
        self.resources.insert(resource.id.clone(), resource);
    }

    /// Adds a resource that is made from the injected clock and randomness.
    pub(crate) fn generate(&mut self, id: ResourceId, inputs: Value) {
        self.add(Desired { lifecycle: Lifecycle::Generated, ..Desired::new(id, inputs) });
    }

    pub(crate) fn finish(self) -> BTreeMap<ResourceId, Desired> {
        self.resources
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
