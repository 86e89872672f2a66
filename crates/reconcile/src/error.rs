//! Why a cluster cannot be reconciled.

use engine::StoreError;
use graph::Cycle;
use thiserror::Error;

/// Why a cluster cannot be reconciled.
#[derive(Debug, Error)]
pub enum ReconcileError {
    /// The store, or the secrets in it, cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Changes depend on each other in a circle, which is a bug of this program.
    #[error("cannot plan")]
    Plan(#[from] Cycle),
}
