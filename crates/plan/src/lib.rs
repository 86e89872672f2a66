//! Diff, expand and the plan: pure functions from (desired, recorded, observed) to an immutable list of atomic changes.

pub mod action;
mod adopt;
mod compare;
mod decide;
mod disruption;
mod error;
mod foresee;
mod forget;
mod json_schema;
mod machines;
mod moving;
mod order;
pub mod plan;
mod planner;
pub mod power;
mod quorum;
mod remove;
mod saved;
mod target;
mod texts;
mod timeline;

pub use action::{ActionId, Change, Operation, Reason};
pub use compare::field_changes;
pub use error::PlanError;
pub use json_schema::json_schema;
pub use machines::Machines;
pub use plan::{Base, DriftLine, Plan, ReportLine, ReportReason};
pub use planner::{Expander, Input, make_plan};
pub use saved::{PlanFileError, StaleReason};
pub use timeline::{Durations, Step, Timeline};
