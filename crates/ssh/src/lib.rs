//! `engine::Host` over SSH: pinned host keys, one shared connection per machine, programs, uploads.

mod connection;
mod connector;
mod host;
mod input;
mod lines;
mod pinned;
mod program;
mod quote;
mod upload;
mod waits;

pub use connector::SshConnector;
