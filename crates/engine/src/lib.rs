//! The engine: ports to the outside, and the runner that carries a plan out.

mod action;
pub mod asset;
pub mod cluster_store;
pub mod document;
pub mod error;
pub mod event;
pub mod handler;
pub mod handlers;
pub mod history;
pub mod host;
pub mod journal;
pub mod memory;
pub mod outputs;
mod retries;
pub mod runner;
pub mod schedule;
pub mod state;
pub mod store;
mod texts;
pub mod time;
pub mod token;
pub mod vault;

pub use asset::{AssetFiles, AssetMissing};
pub use cluster_store::{
    AppliedSpec, ClusterStore, Damage, Loaded, MoveError, MovedCluster, Revision, RevisionError, SourceText, Verified,
};
pub use error::{ActionError, ErrorClass};
pub use event::{Event, EventSink};
pub use handler::{
    ActionContext, Applied, Handler, ObserveContext, ObserveRequest, Output, Outputs, UnresolvedReference,
};
pub use handlers::Handlers;
pub use history::{ActionHistory, ActionOutcome, RunHistory, RunOutcome};
pub use host::{Exit, Host, HostConnector, HostError, HostTarget};
pub use memory::MemoryStore;
pub use outputs::KnownOutputs;
pub use retries::ACTION_LIMIT;
pub use runner::{Ports, Summary};
pub use schedule::Limits;
pub use state::{Head, State};
pub use store::{JournalWriter, Lease, LockInfo, StateStore, StoreError, Version};
pub use time::{Clock, Randomness};
pub use token::{BootstrapToken, BootstrapTokens};
pub use vault::{SecretDigests, SecretVault, Secrets};
