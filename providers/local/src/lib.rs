//! Local provider: networks (bridges) and machines (systemd-nspawn containers) on this host.

mod capacity;
mod cgroup;
mod command;
mod error;
pub mod facts;
pub mod hold;
pub mod inputs;
mod machine;
pub mod marked;
pub mod names;
mod network;
pub mod owner;
pub mod preflight;
pub mod provider;
mod resolvers;
mod schema;
pub mod setup;
pub mod subnet;
mod unmade;
mod unmoved;
mod unrecorded;

pub use capacity::HostCapacity;
pub use error::LocalError;
pub use facts::HostFacts;
pub use inputs::{Bind, MACHINE, MachineInputs, NETWORK, NetworkInputs};
pub use marked::{Marked, MarkedKind};
pub use owner::{HostIdentity, Owner, has_machines};
pub use preflight::{Finding, PreflightInput};
pub use provider::LocalProvider;
pub use resolvers::Resolvers;
pub use unmade::Unmade;
