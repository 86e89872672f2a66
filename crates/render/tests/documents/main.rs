//! Every document of every supported minor against golden files and against what kubeadm leaves behind.
#![allow(clippy::unwrap_used, reason = "an integration test")]

mod facts;
mod golden;
mod inputs;
mod invariants;
mod reference;
mod tree;
mod variants;
