//! Why a cluster cannot be reconciled.

use engine::StoreError;
use plan::PlanError;
use thiserror::Error;

/// Why a cluster cannot be reconciled.
#[derive(Debug, Error)]
pub enum ReconcileError {
    /// The store, or the secrets in it, cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Changes are no plan, which is a bug of this program.
    #[error("cannot plan")]
    Plan(#[from] PlanError),
}
