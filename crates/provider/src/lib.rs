//! The port that providers stand behind: whoever brings the machines of a cluster says what they are, as data.
//!
//! Everybody else asks for properties of what a provider brings ([`Infrastructure`], [`model::Platform`]), never for its name.

mod error;
mod finding;
mod request;
mod resolving;
mod setup;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use engine::Handler;
use model::{Infrastructure, ModelError, ProviderFacts, Resolved};
use resource::{Desired, Recorded, ResourceId};
use spec::{Effective, HostContext};

pub use error::{DiscoverError, ErrorKind, ProviderError};
pub use finding::Finding;
pub use request::{KnownCluster, NewCluster, OtherClusters, PreflightRequest};
pub use resolving::{ResolveError, build, resolve};
pub use setup::{Setup, shown};

/// What is recorded of resources, or was found beside the record.
pub type RecordedById = BTreeMap<ResourceId, Recorded>;

/// Somebody who brings machines.
///
/// Pure methods decide; those that are `async` look at the world. Only the [`Handler`] and [`Setup`] change it.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name, as `spec.provider` has it.
    fn name(&self) -> &'static str;

    /// What validation of a new cluster's documents must know of what is around it.
    async fn host_context(&self) -> Result<HostContext, ProviderError>;

    /// Finds out and allocates what a cluster needs that is about to be made. Changes nothing.
    async fn discover(&self, cluster: &NewCluster<'_>) -> Result<Discovered, DiscoverError>;

    /// What is kept of a cluster, as it is now: allocations never change under a machine, and machines that are new get theirs.
    ///
    /// # Errors
    /// When the documents ask for something else than what was allocated, or for more than there is.
    fn refresh(&self, cluster: &KnownCluster<'_>, documents: &Effective) -> Result<ProviderFacts, ProviderError>;

    /// The machines of documents, given what is kept of their cluster. Pure.
    ///
    /// # Errors
    /// When the facts are none of this provider's.
    fn infrastructure(&self, documents: &Effective, facts: &ProviderFacts) -> Result<Infrastructure, ProviderError>;

    /// The resources that make the machines, and what these stand on. Pure.
    ///
    /// # Errors
    /// When an asset is in no recipe, or the facts are none of this provider's: bugs.
    fn resources(&self, resolved: &Resolved) -> Result<Vec<Desired>, ModelError>;

    /// Who makes them.
    fn handler(&self) -> Arc<dyn Handler>;

    /// Refuses work on a cluster whose machines cannot be told from somebody else's, or cannot be seen from here.
    async fn check_access(&self, cluster: &KnownCluster<'_>) -> Result<(), ProviderError>;

    /// Refuses a name that somebody else's cluster has where this one would be made.
    async fn check_name(&self, name: &str, lineage: &str) -> Result<(), ProviderError>;

    /// What stands in the way of making what is not there yet; empty where nothing does.
    async fn preflight(&self, request: &PreflightRequest<'_>) -> Vec<Finding>;

    /// The same for a first cluster, whatever its documents will say. `builds_image`: the machines' image would be built here.
    async fn survey(&self, builds_image: bool) -> Result<Vec<Finding>, ProviderError>;

    /// What a cluster's record says of the provider's resources, completed with what an earlier release did not write down.
    async fn complete(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError>;

    /// What carries a cluster's marker and is not in its record: such as what `state forget` left.
    async fn unrecorded(&self, cluster: &KnownCluster<'_>) -> Result<RecordedById, ProviderError>;

    /// What could be installed where the command line runs; `None` where nothing is missing there.
    fn setup(&self) -> Option<Box<dyn Setup>>;

    /// Whether something of a cluster lies beside its state on this host, so that who moves the state leaves it behind.
    fn lies_beside_state(&self, recorded: &RecordedById) -> bool;
}

/// What was found out for a cluster that is about to be made.
pub struct Discovered {
    /// What is kept of it.
    pub facts: ProviderFacts,
    /// What there is to say to the user: sentences.
    pub remarks: Vec<String>,
    /// What was allocated is nobody else's as long as this is held.
    pub reservation: Box<dyn Any + Send>,
}
