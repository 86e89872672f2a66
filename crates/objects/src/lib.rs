//! Handlers for things inside a cluster, and what the CLI asks a cluster; the only user of kube-rs.

pub mod access;
pub mod connection;
mod csr;
mod dial;
pub mod error;
#[cfg(test)]
mod fake;
mod field;
pub mod handler;
mod kubelet;
mod losses;
mod pods;
mod projection;
mod quantity;
#[cfg(test)]
mod real;
mod request;
mod resource_type;
mod rollout;
mod room;
mod taint;
pub mod token;
pub mod validate;
mod wait;
pub mod wake;
#[cfg(test)]
mod world;

pub use access::Access;
pub use connection::{Connections, Dial};
pub use error::ApiError;
pub use handler::ObjectsHandler;
pub use token::TokenSecrets;
