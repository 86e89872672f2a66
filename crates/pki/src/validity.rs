//! From when and until when certificates hold.

use jiff::{SignedDuration, Timestamp};
use time::OffsetDateTime;

use crate::PkiError;

/// How far certificates are dated back, so that machines whose clocks are behind accept them.
///
/// The same as kubeadm's `CertificateBackdate`.
pub const BACKDATE: SignedDuration = SignedDuration::from_mins(5);

/// From when and until when a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first moment.
    pub(crate) from: Timestamp,
    /// The last moment.
    pub(crate) until: Timestamp,
}

impl Window {
    /// `days` from `now`, dated back a little, not beyond `limit`.
    pub(crate) fn new(now: Timestamp, days: u32, limit: Option<Timestamp>) -> Result<Self, PkiError> {
        let until = now.checked_add(days_of(days)).map_err(|_| PkiError::Time(now))?;
        let from = now.checked_sub(BACKDATE).map_err(|_| PkiError::Time(now))?;
        Self::between(from, limit.map_or(until, |limit| until.min(limit)))
    }

    /// From one moment to another, in whole seconds.
    pub(crate) fn between(from: Timestamp, until: Timestamp) -> Result<Self, PkiError> {
        Ok(Self { from: whole_seconds(from)?, until: whole_seconds(until)? })
    }
}

/// That many days of 24 hours.
pub(crate) fn days_of(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

/// The time as certificates hold it.
pub(crate) fn to_certificate(at: Timestamp) -> Result<OffsetDateTime, PkiError> {
    OffsetDateTime::from_unix_timestamp(at.as_second()).map_err(|_| PkiError::Time(at))
}

fn whole_seconds(at: Timestamp) -> Result<Timestamp, PkiError> {
    Timestamp::from_second(at.as_second()).map_err(|_| PkiError::Time(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_starts_five_minutes_early_and_ends_on_time() {
        let now: Timestamp = "2026-11-20T22:46:00.25Z".parse().unwrap();
        let window = Window::new(now, 365, None).unwrap();
        assert_eq!(window.from.to_string(), "2026-11-20T22:41:00Z");
        assert_eq!(window.until.to_string(), "2027-11-20T22:46:00Z");
    }

    #[test]
    fn a_window_never_ends_after_its_limit() {
        let now: Timestamp = "2026-11-20T22:46:00Z".parse().unwrap();
        let limit: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(Window::new(now, 365, Some(limit)).unwrap().until, limit);
    }
}
