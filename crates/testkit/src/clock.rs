//! A clock that moves only when told to.

use std::sync::{Arc, Mutex, PoisonError};

use engine::Clock;
use jiff::{Timestamp, TimestampArithmetic};

/// A clock that stands still until it is set forward.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Sets it forward. A span that leads out of the calendar leaves it as it is.
    pub fn advance(&self, span: impl Into<TimestampArithmetic>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(later) = now.checked_add(span) {
            *now = later;
        }
    }
}

impl Default for ManualClock {
    /// 2026-01-01, midnight UTC.
    fn default() -> Self {
        Self::new(Timestamp::constant(1_767_225_600, 0))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told_to() {
        let clock = ManualClock::default();
        assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00Z");
        clock.clone().advance(jiff::Span::new().hours(36));
        assert_eq!(clock.now().to_string(), "2026-01-02T12:00:00Z");
    }
}
