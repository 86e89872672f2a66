//! The handler against machines that live in memory: scripted where they fail, stateful where they work.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests")]

mod applying;
mod bootstrapping;
mod images;
mod machines;
mod observing;
mod questions;
mod world;
