//! How much of a plan runs at once, and how long one action may take.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use engine::Limits;

use crate::suggestion::{self, Suggestion};

/// Limits of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct RunLimits {
    /// How many actions run at once [default: as many as can]
    #[arg(long, value_name = "N")]
    parallelism: Option<NonZeroUsize>,
    /// How long one action may take with all its retries, such as 90s or 1h; past it, it fails [default: 30m]
    #[arg(long, value_name = "DURATION", value_parser = positive)]
    action_timeout: Option<Duration>,
}

impl RunLimits {
    /// The same for the engine.
    pub(crate) fn limits(&self) -> Limits {
        Limits { total: self.parallelism, action: self.action_timeout, ..Limits::default() }
    }
}

impl RunLimits {
    /// A command with the same limits.
    pub(crate) fn suggested(&self, command: Suggestion) -> Suggestion {
        command
            .options("--parallelism", self.parallelism)
            .options("--action-timeout", self.action_timeout.map(suggestion::duration))
    }
}

/// Reads a duration.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; write 90s or 10m"))?;
    Duration::try_from(span).map_err(|_| "it must not be negative".to_owned())
}

/// The same of which something can be done in.
fn positive(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|span| if span.is_zero() { Err("nothing is done in no time".to_owned()) } else { Ok(span) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_positive_duration() {
        assert_eq!(positive("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(positive("1h"), Ok(Duration::from_hours(1)));
        for wrong in ["0s", "-5m", "5", "soon", ""] {
            assert!(positive(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_default_that_is_shown_is_the_engines() {
        assert_eq!(positive("30m"), Ok(engine::ACTION_LIMIT));
        assert_eq!(RunLimits::default().limits(), Limits::default());
    }
}
