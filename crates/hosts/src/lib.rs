//! Handler for machine configs, node bootstraps and loaded images: works on each machine through `engine::Host`.

mod agent;
mod apply;
mod attributes;
mod bootstrap;
mod contents;
mod conversation;
mod error;
mod handler;
mod images;
mod inputs;
mod observe;
mod observe_query;
mod schema;
mod stale;
mod target;

pub use agent::AgentBinary;
pub use error::AgentError;
pub use handler::HostsHandler;
pub use images::import as import_image;
pub use target::{TargetError, target};
