//! A lease as its holder sees it: valid until a moment of this host's boot clock, unless it was extended or lost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::StoreError;
use rustix::time::{ClockId, clock_gettime};

/// Time since this host booted, sleep included: nobody sets this clock, and a suspended holder finds itself late.
pub(crate) fn boot_time() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// How long a holder trusts a lease after it began to send what made or extended it: two thirds of what others wait.
/// The rest is for what a server's clock in whole seconds and a slow action may cost.
pub(crate) fn trusted(ttl: Duration) -> Duration {
    ttl * 2 / 3
}

/// A lease of this process.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) epoch: u64,
    /// Boot time until which the lease is valid; `None` once it is over.
    valid_until: Mutex<Option<Duration>>,
}

impl Held {
    pub(crate) fn new(epoch: u64, valid_until: Duration) -> Self {
        Self { epoch, valid_until: Mutex::new(Some(valid_until)) }
    }

    /// Whether the lease still holds. Once it does not, it never does again: others may have been here.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.check_at(boot_time())
    }

    fn check_at(&self, now: Duration) -> Result<(), StoreError> {
        let mut valid_until = self.valid_until.lock().unwrap_or_else(PoisonError::into_inner);
        if valid_until.is_some_and(|until| now < until) {
            return Ok(());
        }
        *valid_until = None;
        Err(StoreError::LeaseLost)
    }

    /// Extends a lease that is still valid.
    pub(crate) fn extend(&self, until: Duration) -> Result<(), StoreError> {
        self.check()?;
        if let Some(valid_until) = self.valid_until.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *valid_until = until;
        }
        Ok(())
    }

    /// The lease is over.
    pub(crate) fn end(&self) {
        *self.valid_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_ran_out_stays_lost() {
        let held = Held::new(1, Duration::from_secs(10));
        assert!(held.check_at(Duration::from_secs(9)).is_ok());
        assert!(matches!(held.check_at(Duration::from_secs(10)), Err(StoreError::LeaseLost)));
        assert!(held.check_at(Duration::from_secs(9)).is_err());
    }

    #[test]
    fn what_ran_out_is_not_extended() {
        let held = Held::new(1, boot_time());
        assert!(held.extend(boot_time() + Duration::from_secs(10)).is_err());
        assert!(held.check().is_err());
    }
}
