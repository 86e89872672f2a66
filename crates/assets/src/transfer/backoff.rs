//! How often, and after which pauses, a transfer is tried again.

use std::time::Duration;

use super::TransferError;
use crate::AssetError;

/// How often, and after which pauses, a transfer is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    /// Attempts in all, without any progress.
    pub(crate) attempts: u32,
    /// The first pause; each further one is twice as long.
    pub(crate) first_pause: Duration,
    /// Attempts where nobody answers at all.
    pub(crate) unanswered: u32,
}

/// The longest pause of our own choosing.
const LONGEST: Duration = Duration::from_secs(20);
/// The longest pause that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_mins(2);

impl Backoff {
    /// For a source that is there.
    pub(crate) const USUAL: Self = Self { attempts: 6, first_pause: Duration::from_millis(500), unanswered: 3 };
    /// For finding out whether a source is there.
    pub(crate) const PROBING: Self = Self { unanswered: 1, ..Self::USUAL };

    /// How long to wait after this many failures; `None`: give up.
    pub(crate) fn pause(&self, failures: u32, error: &TransferError) -> Option<Duration> {
        let attempts = match error {
            TransferError::Missing | TransferError::Refused(_) => return None,
            TransferError::Unreachable(_) => self.unanswered,
            TransferError::Temporary { .. } | TransferError::Changed => self.attempts,
        };
        if failures >= attempts {
            return None;
        }
        let own = self.first_pause.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST);
        match error {
            TransferError::Temporary { after: Some(after), .. } if *after > LONGEST_ASKED => None,
            TransferError::Temporary { after: Some(after), .. } => Some(own.max(*after)),
            _ => Some(own),
        }
    }
}

/// A question that got no answer, however often it was asked.
#[derive(Debug)]
pub(crate) struct GaveUp {
    pub(crate) error: TransferError,
    pub(crate) attempts: u32,
}

/// The longest that a small answer may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(6);

impl Backoff {
    /// Asks for something small until there is an answer.
    pub(crate) async fn ask<T, F>(&self, question: impl Fn() -> F) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, TransferError>>,
    {
        let mut attempts = 0;
        loop {
            let asked = tokio::time::timeout(LONGEST_ANSWER, question()).await;
            let late = || TransferError::Unreachable(format!("no answer within {} s", LONGEST_ANSWER.as_secs()));
            let error = match asked.unwrap_or_else(|_| Err(late())) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            attempts += 1;
            match self.pause(attempts, &error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(GaveUp { error, attempts }),
            }
        }
    }
}

impl GaveUp {
    /// There is nothing: an answer, too.
    pub(crate) fn is_missing(&self) -> bool {
        self.error == TransferError::Missing
    }

    /// Nobody answers.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self.error, TransferError::Unreachable(_))
    }

    /// As what the user sees.
    pub(crate) fn into_error(self, host: &str, address: &str) -> AssetError {
        let why = self.error.to_string();
        if self.is_unreachable() {
            AssetError::Unreachable { host: host.to_owned(), why }
        } else {
            AssetError::TransferFailed { address: address.to_owned(), why, attempts: self.attempts }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(after: Option<u64>) -> TransferError {
        TransferError::Temporary { why: "busy".into(), after: after.map(Duration::from_secs) }
    }

    #[test]
    fn pauses_double_until_attempts_are_used_up() {
        let pauses: Vec<_> = (1..=6).map(|failures| Backoff::USUAL.pause(failures, &temporary(None))).collect();
        let millis = |n| Some(Duration::from_millis(n));
        assert_eq!(pauses, [millis(500), millis(1000), millis(2000), millis(4000), millis(8000), None]);
    }

    #[test]
    fn a_server_gets_the_pause_that_it_asks_for_within_reason() {
        assert_eq!(Backoff::USUAL.pause(1, &temporary(Some(30))), Some(Duration::from_secs(30)));
        assert_eq!(Backoff::USUAL.pause(1, &temporary(Some(3600))), None);
    }

    #[test]
    fn what_cannot_get_better_is_not_tried_again() {
        assert_eq!(Backoff::USUAL.pause(1, &TransferError::Missing), None);
        assert_eq!(Backoff::USUAL.pause(1, &TransferError::Refused("403".into())), None);
        assert_eq!(Backoff::PROBING.pause(1, &TransferError::Unreachable("no route".into())), None);
    }
}
