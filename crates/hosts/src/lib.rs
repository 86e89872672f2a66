//! Handler for machine configs and node bootstraps: asks the agent on each machine, through `engine::Host`.

mod agent;
mod apply;
mod attributes;
mod bootstrap;
mod contents;
mod conversation;
mod error;
mod handler;
mod inputs;
mod observe;
mod question;
mod schema;
mod stale;
mod target;

pub use agent::AgentBinary;
pub use error::AgentError;
pub use handler::HostsHandler;
pub use target::{TargetError, target};
