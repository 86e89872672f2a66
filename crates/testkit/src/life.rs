//! Whether the process under test is alive: its ports die together, as they do when a process is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::{ActionError, StoreError};

/// One process' life. After its end every port that shares it fails, so that nothing reaches the world or the store.
#[derive(Debug, Clone, Default)]
pub struct Life(Arc<AtomicBool>);

impl Life {
    /// Whether the process is dead.
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Ends it.
    pub fn end(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Lets an action go on only while the process lives.
    pub(crate) fn check(&self) -> Result<(), ActionError> {
        if self.is_over() { Err(Self::dead()) } else { Ok(()) }
    }

    /// What a caller hears of a port of a dead process.
    pub(crate) fn dead() -> ActionError {
        ActionError::permanent("the process is dead")
    }

    /// The same for stores.
    pub(crate) fn check_store(&self) -> Result<(), StoreError> {
        if self.is_over() { Err(Self::dead_store()) } else { Ok(()) }
    }

    pub(crate) fn dead_store() -> StoreError {
        StoreError::Unusable { what: "go on".to_owned(), source: std::io::Error::other("the process is dead") }
    }
}
