//! The real clock and the real randomness.

use engine::{Clock, Randomness};
use jiff::Timestamp;
use rand::TryRngCore as _;
use rand::rngs::OsRng;

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The operating system's randomness.
pub(crate) struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness there are no keys; going on would make guessable ones.
        #[expect(clippy::expect_used, reason = "the kernel's generator does not fail once it is seeded")]
        OsRng.try_fill_bytes(bytes).expect("invariant: the kernel gives random bytes");
    }
}
