//! State kept in an S3 bucket: conditional writes instead of renames, and a lease that ends by itself instead of an OS lock.
//!
//! `state/FORMAT.md` says what lies where; `docs/guide.md` what a bucket must allow.

mod acquire;
mod bucket;
mod client;
mod failure;
mod head;
mod held;
mod host;
mod journal;
mod keeper;
mod layout;
mod lease;
mod remove;
mod store;
mod url;
mod wire;

pub use aws_sdk_s3::config::Credentials;
pub use host::Host;
pub use store::{Options, S3Store};
pub use url::{S3Url, UrlError};
