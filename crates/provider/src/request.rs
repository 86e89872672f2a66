//! What a provider is asked about.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use catalog::Edition;
use engine::{ObserveRequest, StoreError};
use model::{ProviderFacts, Resolved};
use resource::{Desired, ResourceId};
use spec::Effective;

use crate::RecordedById;

/// The other clusters of a store: they may come and go while somebody looks.
#[async_trait]
pub trait OtherClusters: Send + Sync {
    /// What their providers keep of each, now.
    async fn facts(&self) -> Result<Vec<ProviderFacts>, StoreError>;
}

/// A cluster that is about to be made.
pub struct NewCluster<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its documents.
    pub documents: &'a Effective,
    /// The store's other clusters.
    pub others: &'a dyn OtherClusters,
}

/// A cluster that is kept in a store.
pub struct KnownCluster<'a> {
    /// Its name.
    pub name: &'a str,
    /// Identity of its state.
    pub lineage: &'a str,
    /// What is kept of it.
    pub facts: &'a ProviderFacts,
    /// The edition that it is of.
    pub edition: Edition,
    /// Everything that was made.
    pub recorded: &'a RecordedById,
}

/// What is wanted of a cluster, and what was made.
pub struct PreflightRequest<'a> {
    /// The documents with what is kept of their cluster.
    pub resolved: &'a Resolved,
    /// Everything that should be there.
    pub desired: &'a BTreeMap<ResourceId, Desired>,
    /// Everything that was made.
    pub recorded: &'a RecordedById,
    /// What a plan is limited to; nothing where it is whole.
    pub targets: &'a BTreeSet<ResourceId>,
    /// Whether the machines' image would be built here.
    pub builds_image: bool,
}

impl PreflightRequest<'_> {
    /// What to look for: the targets, and all that they rest on.
    pub fn requests(&self) -> Vec<ObserveRequest> {
        let wanted = self.within_targets();
        let request = |(id, desired): (&ResourceId, &Desired)| ObserveRequest {
            id: id.clone(),
            desired: Some(desired.inputs.clone()),
            recorded: self.recorded.get(id).cloned(),
        };
        self.desired.iter().filter(|(id, _)| wanted.contains(id)).map(request).collect()
    }

    /// The targets, and all that they rest on; everything where there are none.
    fn within_targets(&self) -> BTreeSet<ResourceId> {
        if self.targets.is_empty() {
            return self.desired.keys().cloned().collect();
        }
        let mut within = BTreeSet::new();
        let mut queue: Vec<ResourceId> = self.targets.iter().cloned().collect();
        while let Some(id) = queue.pop() {
            queue.extend(
                self.desired.get(&id).map(Desired::dependencies).unwrap_or_default().difference(&within).cloned(),
            );
            within.insert(id);
        }
        within
    }
}
