//! Local provider: networks (bridges) and machines (systemd-nspawn containers) on this host.

mod capacity;
mod cgroup;
mod command;
mod discover;
mod error;
pub mod facts;
mod handler;
mod hold;
mod home;
pub mod ids;
mod infrastructure;
pub mod inputs;
mod kept;
mod machine;
pub mod marked;
pub mod names;
mod network;
pub mod owner;
mod port;
pub mod preflight;
mod remarks;
mod resolvers;
mod resources;
mod schema;
mod setup;
pub mod subnet;
mod unmade;
mod unmoved;
mod unrecorded;

pub use capacity::HostCapacity;
pub use error::LocalError;
pub use facts::HostFacts;
pub use handler::LocalProvider;
pub use inputs::{Bind, MACHINE, MachineInputs, NETWORK, NetworkInputs};
pub use kept::LocalFacts;
pub use marked::{Marked, MarkedKind};
pub use owner::{HostIdentity, Owner};
pub use preflight::PreflightInput;
pub use resolvers::Resolvers;

/// The provider's name in documents.
pub const NAME: &str = "local";
