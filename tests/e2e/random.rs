//! Random choices that can be made again: the seed is printed, and taken from `KUBEWRIGHT_SEED`.

use std::time::{SystemTime, UNIX_EPOCH};

use tests::random::SplitMix64;

/// A generator.
pub(crate) struct Random(SplitMix64);

impl Random {
    /// Seeded by the environment, or else by the time.
    pub(crate) fn from_environment() -> Self {
        let given = std::env::var("KUBEWRIGHT_SEED").ok();
        let seed = match given {
            Some(text) => text.parse().expect("KUBEWRIGHT_SEED is a number"),
            None => SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs(),
        };
        println!("      the seed is KUBEWRIGHT_SEED={seed}");
        Self(SplitMix64::new(seed))
    }

    /// A number from 0 up to but without 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.0.draw() >> 32).expect("32 bits")) / (f64::from(u32::MAX) + 1.0)
    }

    /// A number from 1 to `most`.
    pub(crate) fn among(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).expect("64 bits");
        usize::try_from(self.0.draw() % most + 1).expect("it is not more than `most`")
    }

    /// Heads or tails.
    pub(crate) fn coin(&mut self) -> bool {
        self.0.draw() >> 63 == 0
    }
}
