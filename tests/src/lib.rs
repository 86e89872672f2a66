//! Tests across crates live beside this file: the architecture, scenarios, and end to end on real machines. Here is what the end
//! to end runner decides: which stories are told, which of them together, and how each went.

pub mod outcome;
pub mod random;
pub mod stories;
pub mod turns;
