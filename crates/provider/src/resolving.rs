//! Documents with what is kept of their cluster, and what they ask for: a provider's part and everybody else's.

use std::collections::BTreeMap;

use model::{Facts, ModelError, Resolved};
use resource::{Desired, ResourceId};
use spec::Effective;
use thiserror::Error;

use crate::{Provider, ProviderError};

/// Why documents and facts don't fit together.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The provider says so.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Something else does.
    #[error(transparent)]
    Model(#[from] model::ResolveError),
}

/// Puts documents and what is kept with them together.
///
/// # Errors
/// When they don't fit each other.
pub fn resolve(
    provider: &dyn Provider,
    lineage: &str,
    documents: Effective,
    facts: Facts,
) -> Result<Resolved, ResolveError> {
    let infrastructure = provider.infrastructure(&documents, &facts.provider)?;
    Ok(model::resolve(lineage, documents.cluster, documents.groups, infrastructure, facts)?)
}

/// Everything that documents ask for.
///
/// # Errors
/// When an own template does not fit; anything else is a bug.
pub fn build(provider: &dyn Provider, resolved: &Resolved) -> Result<BTreeMap<ResourceId, Desired>, ModelError> {
    model::build(resolved, provider.resources(resolved)?)
}
