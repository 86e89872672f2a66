//! `Host` over SSH against an in-process server, and against OpenSSH where there is one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests")]

mod connecting;
mod keys;
mod openssh;
mod programs;
mod server;
mod uploads;
