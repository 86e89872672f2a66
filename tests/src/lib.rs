//! Tests across crates live beside this file: the architecture, scenarios, and end to end on real machines.
