//! How long to wait between attempts to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(500);
const FIRST_LIMIT: Duration = Duration::from_millis(500);
const LONGEST_LIMIT: Duration = Duration::from_secs(8);

/// Waits between attempts: 50 ms, growing by half to 500 ms, for ever.
pub(crate) fn waits() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST), |wait| Some((*wait * 3 / 2).min(LONGEST)))
}

/// How long a TCP connection may take, per attempt.
///
/// The first limits are short: a machine that boots drops the first SYN, and the kernel sends it again only after a
/// second. Later ones suit distant machines.
pub(crate) fn connect_limits() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_LIMIT), |limit| Some((*limit * 2).min(LONGEST_LIMIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_second_and_stay_there() {
        let waits: Vec<u128> = waits().take(9).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [50, 75, 112, 168, 253, 379, 500, 500, 500]);
    }

    #[test]
    fn distant_machines_get_time_after_the_first_attempts() {
        let limits: Vec<u128> = connect_limits().take(6).map(|limit| limit.as_millis()).collect();
        assert_eq!(limits, [500, 1000, 2000, 4000, 8000, 8000]);
    }
}
