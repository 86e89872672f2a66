//! The program as it is typed, without any machine: names, variables, addresses, results, editors, signals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod cases;
mod editor;
mod hosts;
mod names;
mod previews;
mod results;
mod signals;
mod user;
