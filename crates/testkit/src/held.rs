//! A lease that holds until a test takes it away.

use std::sync::atomic::{AtomicBool, Ordering};

use engine::{Lease, StoreError};

/// A lease of no store in particular.
#[derive(Debug, Default)]
pub struct Held {
    lost: AtomicBool,
}

impl Held {
    /// Somebody else has it from now on.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }
}

impl Lease for Held {
    fn epoch(&self) -> u64 {
        1
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.lost.load(Ordering::SeqCst) { Err(StoreError::LeaseLost) } else { Ok(()) }
    }
}
