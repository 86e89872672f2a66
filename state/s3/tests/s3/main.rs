//! The store in S3 against a real S3 API server over HTTP, with a proxy in between that loses replies, delays and refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "an integration test: helpers may panic")]

mod children;
mod conformance;
mod errors;
mod faults;
mod fences;
mod heads;
mod leases;
mod moto;
mod requests;
mod site;
