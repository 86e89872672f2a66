//! Whole requests against a machine that is a directory, with a systemd and a package system that keep state.

mod clients;
mod etcd;
mod interrupted;
mod lifecycle;
mod programs;
mod refusals;
mod renewed;
mod steps;
pub(crate) mod world;
