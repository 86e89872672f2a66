//! Why changes are no plan: bugs of whoever made them.

use graph::Cycle;
use thiserror::Error;

use crate::ActionId;

/// Why changes are no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// They wait for each other in a circle.
    #[error(transparent)]
    Circle(#[from] Cycle),
    /// Two of them have one id, so that one would be lost.
    #[error("there are two changes called `{0}`")]
    Twice(ActionId),
}
